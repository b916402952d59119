"""Violations that were once found and that chance seldom brings about again, each played by services of its own.

Each returns sentences, none when the promise was kept. They run beside the small services, on the system that is up.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from tests.faults.calls import CALL_SECONDS, Registry, Reply, path
from tests.faults.history import Key
from tests.faults.serving import Request, SmallServer
from tests.ports import free_port

Script = Callable[[Registry], Awaitable[list[str]]]

LOOK_SECONDS = 0.05
# Whatever is waited for here comes within a second where nothing else runs.
PATIENCE_SECONDS = 20.0
# A crash is seen by its connections; who has to wait for the next probe would wait about as long as this.
INTERVAL_SECONDS = 10.0
# A fourth would be one change too many within a minute, for which it is held critical.
CRASHES = 3
LOCKED_CALLS_SECONDS = 6.0
REFUSED = (409, 410)
# In whatever state the others have brought it to, and whether the database can be written or not.
SOUND = (200, 201, 202, 204, 404, 409, 410, 503)


async def all_of(scripts: Sequence[Script], registry: Registry) -> list[str]:
    """Run all of them at once."""
    found = await asyncio.gather(*(script(registry) for script in scripts))
    return [sentence for sentences in found for sentence in sentences]


async def crash_loop(registry: Registry) -> list[str]:
    """A service that crashes again and again, as soon as it passes, is known to be dead each time at once.

    Its closes were once counted as the habit of a server that is alive, which made the detector wait ever longer.
    """
    key = _key("loop")
    sentences: list[str] = []
    async with _serving() as server:
        for number in range(1, CRASHES + 1):
            if number > 1:
                await server.start()
            await _register(registry, key, server.port, heartbeat={"interval_seconds": INTERVAL_SECONDS})
            if not await _becomes(registry, key, "passing"):
                return [*sentences, f"{key[1]} did not pass in its run {number}"]
            server.die()
            died_at = time.monotonic()
            if not await _becomes(registry, key, "critical", seconds=INTERVAL_SECONDS - 2):
                sentences.append(f"crash {number} of a loop was not known after {time.monotonic() - died_at:.1f} s")
                await _becomes(registry, key, "critical")
    await registry.call("DELETE", path(key))
    return sentences


async def late_put_of_a_superseded_run(registry: Registry) -> list[str]:
    """A run that is drained and overtaken by the next one does not come back by a PUT of its own that was late."""
    key = _key("late")
    port = free_port()
    await _register(registry, key, port, incarnation="one")
    await _until(registry, "POST", f"{path(key)}/drain", {"seconds": 60})
    await _register(registry, key, port, incarnation="two", version="2")
    return await _refused(registry, key, port)


async def late_put_of_a_run_that_was_given_up(registry: Registry) -> list[str]:
    """A run that was given up, and that another has followed, does not come back either."""
    key, port = _key("given-up"), free_port()
    hurried = {"interval_seconds": 1, "failures_before_critical": 1, "deregister_after_seconds": 1}
    await _register(registry, key, port, incarnation="one", heartbeat=hurried)
    if not await _becomes(registry, key, "absent"):
        return [f"{key[1]} was never given up"]
    await _register(registry, key, port, incarnation="two", version="2", heartbeat={"kind": "ttl"})
    return await _refused(registry, key, port)


async def new_run_of_what_was_long_critical(registry: Registry) -> list[str]:
    """A run that registers where another was critical for longer than may be is not given up for that."""
    key = _key("anew")
    async with _serving() as server:
        patient = {"interval_seconds": 1, "failures_before_critical": 1, "deregister_after_seconds": 600}
        await _register(registry, key, free_port(), heartbeat=patient)
        if not await _becomes(registry, key, "critical"):
            return [f"{key[1]} did not become critical"]
        # It has been critical for longer than the next run declares.
        await asyncio.sleep(1.5)
        hurried = {**patient, "deregister_after_seconds": 1}
        await _register(registry, key, server.port, heartbeat=hurried)
        passes = await _becomes(registry, key, "passing")
        await registry.call("DELETE", path(key))
        return [] if passes else [f"{key[1]} was given up for what the run before it did not do"]


async def every_way_to_change(registry: Registry) -> list[str]:
    """Every request that changes something is answered before its client gives up, though the database is locked.

    Draining and batches once waited for the database as long as it was locked, and so did whatever was left to Django.
    """
    key = _key("ways")
    body = _declaration(free_port(), heartbeat={"kind": "ttl", "interval_seconds": 600})
    batch = {"instances": [{**body, "service": key[0], "instance": f"{key[1]}-{number}"} for number in range(3)]}
    ways: list[tuple[str, str, Any]] = [
        ("PUT", path(key), body),
        ("PUT", f"{path(key)}/heartbeat", None),
        ("PUT", f"{path(key)}/maintenance", {"reason": "a test"}),
        ("POST", f"{path(key)}/drain", {"seconds": 60}),
        ("POST", f"{path(key)}/probe", None),
        ("POST", f"{path(key)}/resync", None),
        *[("POST", "/v1/registrations:batch", batch)] * 4,
        ("DELETE", f"{path(key)}/maintenance", None),
        ("DELETE", path(key), None),
        # One with a body is left to Django, as a probe, a resync and a replay are.
        ("DELETE", path(key), {}),
        ("POST", f"{path(key)}/replay", {"since": 0}),
    ]
    until = time.monotonic() + LOCKED_CALLS_SECONDS
    unsound: set[str] = set()

    async def ask(method: str, way: str, body: Any) -> None:
        while time.monotonic() < until:
            reply = await registry.call(method, way, body, seconds=CALL_SECONDS)
            # What was not answered in time is found by `rules.requests_are_answered_in_time`.
            if reply.status is not None and reply.status not in SOUND:
                unsound.add(f"{method} {way} was answered {reply.status}")
            await asyncio.sleep(LOOK_SECONDS)

    await asyncio.gather(*(ask(*way) for way in ways))
    return sorted(unsound)


def _key(name: str) -> Key:
    """A name of its own, which the small services do not have."""
    return f"script-{name}", f"{name}-{secrets.token_hex(3)}"


def _declaration(port: int, **members: Any) -> dict[str, Any]:
    return {"url": f"http://127.0.0.1:{port}", **members}


async def _register(registry: Registry, key: Key, port: int, **members: Any) -> Reply:
    return await _until(registry, "PUT", path(key), _declaration(port, incarnation=secrets.token_hex(4)) | members)


async def _until(registry: Registry, method: str, way: str, body: Any) -> Reply:
    """Ask until it is done."""
    while True:
        reply = await registry.call(method, way, body)
        if reply.status is not None and reply.status < 500:
            return reply
        await asyncio.sleep(LOOK_SECONDS)


async def _becomes(registry: Registry, key: Key, status: str, *, seconds: float = PATIENCE_SECONDS) -> bool:
    """Whether the instance has that status before the time is over; `absent` where it is registered no more."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        reply = await registry.call("GET", f"{path(key)}?consistent")
        found = "absent" if reply.status == 404 else reply.body["status"] if reply.status == 200 else "unknown"
        if found == status:
            return True
        await asyncio.sleep(LOOK_SECONDS)
    return False


async def _refused(registry: Registry, key: Key, port: int) -> list[str]:
    """The sentences on run "one", which asks again after "two", of version 2, has registered."""
    late = await _register(registry, key, port, incarnation="one", version="1")
    stored = await _until(registry, "GET", f"{path(key)}?consistent", None)
    await registry.call("DELETE", path(key))
    sentences = []
    if late.status not in REFUSED:
        sentences.append(f"a late PUT of a run of {key[1]} that another had followed was answered {late.status}")
    if stored.status != 200 or stored.body["version"] != "2":
        sentences.append(f"a late PUT of a run of {key[1]} overwrote its successor")
    return sentences


@asynccontextmanager
async def _serving() -> Any:
    async def answer(request: Request) -> int:
        return 200

    server = SmallServer(answer)
    await server.start()
    try:
        yield server
    finally:
        server.die()


FOUND: Sequence[Script] = (
    crash_loop,
    late_put_of_a_superseded_run,
    late_put_of_a_run_that_was_given_up,
    new_run_of_what_was_long_critical,
)
