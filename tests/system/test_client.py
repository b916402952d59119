"""The client in the real system: a service works on while the registry does not, and while its providers die."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event

import httpx2
import pytest

from registry.client import Heartbeat, Membership, Registration, Registry, RollcallError
from tests.system.running import MANAGE, System, environment, free_ports, wait_for

SOON_SECONDS = 15.0
# The client asks every 30 seconds, give or take a fifth, whether it is still known.
VERIFIED_SECONDS = 45.0
CALLERS = 4
CALLS = 100
MEMBERS = {"logsvc", "grading", "webui"}


class Way(httpx2.HTTPTransport):
    """From the client to the registry; it can be cut."""

    is_cut = False

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if self.is_cut:
            raise httpx2.ConnectTimeout("no way", request=request)
        return super().handle_request(request)


@pytest.fixture(scope="module")
def token(system: System) -> str:
    return manage(system, "create_token", "tester", "--scope", "read", "--scope", "register:*").strip()


@pytest.fixture
def way() -> Way:
    return Way()


@pytest.fixture
def me(system: System, token: str, way: Way, tmp_path: Path) -> Iterator[Membership]:
    with join(system, token, way, tmp_path) as me:
        me.wait_for("grading", timeout=SOON_SECONDS)
        yield me


def test_its_providers_are_found_and_called_while_the_registry_hangs(
    system: System, token: str, me: Membership, tmp_path: Path
) -> None:
    pid = system.pid("registry:registry")
    os.kill(pid, signal.SIGSTOP)
    try:
        assert call(me) == 200
        # And after a restart of its own, which leaves the providers on disk.
        me.hand_over()
        with join(system, token, Way(), tmp_path) as restarted:
            assert call(restarted) == 200
            assert not restarted.is_registered
            os.kill(pid, signal.SIGCONT)
            wait_for(lambda: restarted.is_registered, SOON_SECONDS)
    finally:
        os.kill(pid, signal.SIGCONT)


def test_it_is_registered_still_when_the_registry_was_killed_and_is_back(
    system: System, token: str, me: Membership
) -> None:
    os.kill(system.pid("registry:registry"), signal.SIGKILL)
    assert call(me) == 200
    wait_for(lambda: "joiner-1" in instances(system, token, "joiner"), 2 * SOON_SECONDS)
    assert call(me) == 200


def test_it_learns_after_a_partition_what_happened_meanwhile(
    system: System, token: str, me: Membership, way: Way
) -> None:
    beating = Heartbeat(kind="ttl", interval_seconds=60.0)
    another = Registration(service="grading", instance="grading-9", url=system.urls["grading"], heartbeat=beating)
    with Registry(system.urls["registry"], token) as registry:
        way.is_cut = True
        registry.register(another)
        registry.beat("grading", "grading-9")
        assert names(me, "grading") == ["grading-1"]
        way.is_cut = False
        wait_for(lambda: names(me, "grading") == ["grading-1", "grading-9"], SOON_SECONDS)
        way.is_cut = True
        registry.deregister("grading", "grading-9")
        assert names(me, "grading") == ["grading-1", "grading-9"]
        way.is_cut = False
        wait_for(lambda: names(me, "grading") == ["grading-1"], SOON_SECONDS)


@pytest.mark.parametrize(("method", "answer"), [("GET", 200), ("POST", 501)])
def test_no_call_fails_beyond_those_in_flight_when_a_provider_is_killed(
    system: System, token: str, tmp_path: Path, method: str, answer: int
) -> None:
    service = f"echo-{method.lower()}"
    [one, other, *_] = free_ports().values()
    sidecars = [serve(system, token, service, port) for port in (one, other)]
    try:
        with join(system, token, Way(), tmp_path, requires=service) as me:
            wait_for(lambda: len(names(me, service)) == 2, 2 * SOON_SECONDS)
            outcomes = under_load(me, method, then=lambda: kill(sidecars[0]))
            wait_for(lambda: names(me, service) == [f"{service}-{other}"], 2 * SOON_SECONDS)
    finally:
        for each in sidecars:
            kill(each)
    failures = [outcome for outcome in outcomes if outcome != answer]
    # What was sent and not answered may have been done: only what is idempotent is sent again.
    assert len(failures) <= (0 if method == "GET" else CALLERS), failures


def test_all_register_again_with_a_registry_that_lost_its_database(system: System, me: Membership) -> None:
    """Last, for it takes the tester's token away with the rest."""
    system.tell_supervisor("stopProcessGroup", "registry")
    for file in system.data_dir.glob("registry.sqlite3*"):
        file.unlink()
    manage(system, "migrate")
    manage(system, "provision")
    assert call(me) == 200
    system.tell_supervisor("startProcessGroup", "registry")
    wait_for(lambda: {name for name, passes in system.statuses().items() if passes} == MEMBERS, VERIFIED_SECONDS)
    wait_for(lambda: not me.is_registered, SOON_SECONDS)
    assert call(me) == 200


def join(system: System, token: str, way: Way, state_dir: Path, *, requires: str = "grading") -> Membership:
    registration = Registration(
        service="joiner",
        instance="joiner-1",
        url="http://127.0.0.1:9",
        requires=[requires],
        heartbeat=Heartbeat(kind="ttl", interval_seconds=30.0),
    )
    registry = Registry(system.urls["registry"], token, timeout=2.0, transport=way)
    return registry.registered(registration, state_dir=state_dir, verify_seconds=1.0)


def call(me: Membership) -> int:
    with me.client() as client:
        return client.get(f"rollcall://{me.registration.requires[0]}/healthz").status_code


def names(me: Membership, service: str) -> list[str]:
    return [provider.instance for provider in me.providers(service)]


def instances(system: System, token: str, service: str) -> list[str]:
    """Those that pass; none while the registry is away."""
    with Registry(system.urls["registry"], token) as registry, suppress(RollcallError):
        return [instance.instance for instance in registry.instances(service, status="passing").instances]
    return []


def under_load(me: Membership, method: str, *, then: Callable[[], None]) -> list[object]:
    """What came of each call while a few callers went on calling, before `then` and for as long after it."""
    outcomes: list[object] = []
    ended = Event()

    def call_on() -> None:
        with me.client(timeout=10.0) as client:
            while not ended.is_set():
                try:
                    outcomes.append(client.request(method, f"rollcall://{me.registration.requires[0]}/").status_code)
                except httpx2.TransportError as error:
                    outcomes.append(error)

    with ThreadPoolExecutor(CALLERS) as callers:
        running = [callers.submit(call_on) for _ in range(CALLERS)]
        try:
            for action in (then, ended.set):
                before = len(outcomes)
                wait_for(lambda before=before: len(outcomes) > before + CALLS, SOON_SECONDS)  # type: ignore[misc]
                action()
        finally:
            ended.set()
        for each in running:
            each.result()
    return outcomes


def serve(system: System, token: str, service: str, port: int) -> "subprocess.Popen[bytes]":
    """A program of somebody else's, run as an instance."""
    options = ["--instance", f"{service}-{port}", "--url", f"http://127.0.0.1:{port}"]
    program = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    return subprocess.Popen(
        [
            sys.executable,
            str(MANAGE),
            "registry",
            "run_service",
            service,
            *options,
            "--heartbeat",
            "tcp",
            "--interval",
            "1",
            "--",
            *program,
        ],
        env=environment(system.data_dir, system.ports, ROLLCALL_TOKEN=token),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill(sidecar: "subprocess.Popen[bytes]") -> None:
    """With its program, so that nobody is left to deregister it."""
    with suppress(ProcessLookupError):
        os.killpg(sidecar.pid, signal.SIGKILL)
    sidecar.wait()


def manage(system: System, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, str(MANAGE), "registry", *arguments],
        env=environment(system.data_dir, system.ports),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
