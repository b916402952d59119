"""The small services: each registers, changes, drains, falls ill, dies, comes back, and keeps a view of its providers.

All in one process and on one event loop, since it is the registry that is tested.
"""

import asyncio
import base64
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from random import Random
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.faults.calls import Registry, Reply, path
from tests.faults.history import Action, Death, History, Key, State, Step, Stored, Told, Watch, Write
from tests.faults.schedule import Kind
from tests.faults.serving import Request, SmallServer
from tests.faults.view import View

PASSING, CRITICAL, ABSENT = "passing", "critical", "absent"
INTERVAL_SECONDS, TIMEOUT_SECONDS = 2.0, 1.0
FAILURES_BEFORE_CRITICAL = 2
# A ttl instance beats four times within its interval.
TTL_SECONDS = 4.0
# Between two things that a service does, on average.
PAUSE_SECONDS = 8.0
RETRY_SECONDS = 0.3
# A few give up those who stay away.
DEREGISTER_AFTER_SECONDS = 10.0
# How long an instance that changed too often may be held critical: three half-lives of the penalty, and a probe.
HELD_SECONDS = 3 * 60.0 + INTERVAL_SECONDS + TIMEOUT_SECONDS
_versions = count(1)


@dataclass(frozen=True, kw_only=True)
class Part:
    """The part that one instance plays: how it is probed, and how it hears of its providers."""

    key: Key
    requires: tuple[str, ...]
    heartbeat: str
    is_told: bool
    is_given_up: bool = False


def parts(services: int, instances: int) -> list[Part]:
    """Each service requires the two after it, in a circle; one instance in four is told by long polls, and so on."""
    return [
        Part(
            key=(f"s{number:02}", f"s{number:02}-{each}"),
            requires=tuple(f"s{(number + further) % services:02}" for further in (1, 2)),
            heartbeat=("http", "http", "tcp", "ttl")[(number + each) % 4],
            is_told=(number + 2 * each) % 4 != 3,
            is_given_up=(number + each) % 7 == 0,
        )
        for number in range(services)
        for each in range(instances)
    ]


class Mood:
    """The present behaviour of receivers, and the offset of the registry's clock."""

    def __init__(self) -> None:
        self.kind: Kind | None = None
        # The faults of the clock that are at work, or were a moment ago.
        self.clocks_set = 0
        self._mended = asyncio.Event()

    def begin(self, kind: Kind) -> None:
        self.kind = kind
        self._mended = asyncio.Event()

    def end(self) -> None:
        self.kind = None
        self._mended.set()

    async def wait(self) -> None:
        await self._mended.wait()


class SmallService:
    """One instance, through all its runs."""

    def __init__(
        self, part: Part, registry: Registry, history: History, mood: Mood, *, chance: Random, address: str
    ) -> None:
        self.part = part
        self.expected = frozenset({ABSENT})
        self.view = View()
        self._registry = registry
        self._history = history
        self._mood = mood
        self._chance = chance
        # Every third suffers when receivers do.
        self._is_moody = chance.random() < 1 / 3
        self._server = SmallServer(self._answer, address=address, on_bare_connection=self._see_connection)
        self._secret = f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"
        self._incarnation = ""
        self._past: list[str] = []
        self._is_ill = False
        self._watched_since: float | None = None
        self._probes: list[float] = []
        self._died_at: float | None = None
        self._jobs: set[asyncio.Task[None]] = set()
        self._is_asking = False
        # One request that changes something after the other, so that what was acknowledged last is known.
        self._turn = asyncio.Lock()

    @property
    def key(self) -> Key:
        return self.part.key

    @property
    def is_alive(self) -> bool:
        """Whether it is up and registered, and so has a view."""
        return self._server.is_up and bool(self._incarnation) and ABSENT not in self.expected

    async def live(self, is_quiet: asyncio.Event) -> None:
        """Do one thing after the other until it is to be quiet; what was begun is brought to its end."""
        if not self._server.is_up:
            await self.begin()
        while not is_quiet.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(is_quiet.wait(), self._chance.expovariate(1 / PAUSE_SECONDS))
                return
            await self._choose()()

    async def begin(self) -> None:
        """A new run: another process at the same address."""
        if self._incarnation:
            self._past.append(self._incarnation)
        self._incarnation = secrets.token_hex(4)
        self.view = View()
        self._is_ill = False
        await self._server.start()
        if self._died_at is not None:
            self._history.deaths.append(Death(key=self.key, at=self._died_at, until=time.time()))
            self._died_at = None
        await self._register()
        if self.part.heartbeat == "ttl":
            self._spawn(self._beat(self._incarnation))
        if not self.part.is_told:
            self._spawn(self._poll(self._incarnation))

    async def end(self) -> None:
        """All of it, at the end of a run of the harness."""
        self._stop_watching()
        self._server.die()
        for job in tuple(self._jobs):
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)

    def note_watch(self) -> None:
        """Keep what was seen until now."""
        if self._watched_since is not None:
            self._stop_watching()
            self._watch()
        if self._died_at is not None:
            self._history.deaths.append(Death(key=self.key, at=self._died_at, until=None))

    def _choose(self) -> Callable[[], Awaitable[None]]:
        if not self._server.is_up or not self._incarnation:
            return self.begin
        deeds: list[tuple[Callable[[], Awaitable[None]], int]] = [
            (self._register, 10),
            (self._die, 4),
            (self._fall_ill_or_recover, 3),
            (self._deregister, 2),
            (self._drain, 2),
            (self._register_for_a_past_run, 2),
        ]
        return self._chance.choices([deed for deed, _ in deeds], [weight for _, weight in deeds])[0]

    async def _register(self) -> None:
        """Until it is answered: each time as a new version."""
        async with self._turn:
            while self._server.is_up and self._incarnation:
                run, version, asked_at = self._incarnation, str(next(_versions)), self.view.revision
                reply = await self._registry.call("PUT", path(self.key), self._declaration(run, version))
                self._keep(Action.REGISTER, reply, run, version)
                if reply.status in (200, 201):
                    self._registry.note(reply, f"a registration of {self.key[1]}")
                    if self._server.is_up:
                        self._begin_being(reply, asked_at)
                    return
                if reply.status in (409, 410):
                    # Given up while it was away: what goes on from now on is another run.
                    self._past.append(run)
                    self._incarnation = secrets.token_hex(4)
                    if self.part.heartbeat == "ttl":
                        self._spawn(self._beat(self._incarnation))
                    if not self.part.is_told:
                        self._spawn(self._poll(self._incarnation))
                await asyncio.sleep(RETRY_SECONDS)

    def _begin_being(self, reply: Reply, asked_at: int) -> None:
        """It is registered, and knows its providers as they stood then."""
        self.expected = frozenset({CRITICAL if self._is_ill else PASSING})
        if self._is_ill and self.part.is_given_up:
            self.expected |= {ABSENT}
        else:
            self._watch()
        if reply.body["revision"] >= asked_at:
            self._take(reply)

    async def _deregister(self) -> None:
        await self._leave(
            lambda run: self._registry.call("DELETE", f"{path(self.key)}?incarnation={run}"), Action.DEREGISTER
        )
        self._server.die()

    async def _drain(self) -> None:
        """It finishes what it does, and is deregistered by the registry."""
        seconds = self._chance.uniform(0.5, 3.0)
        await self._leave(
            lambda run: self._registry.call("POST", f"{path(self.key)}/drain", {"seconds": seconds}), Action.DRAIN
        )
        await asyncio.sleep(seconds)
        self._server.die()

    async def _leave(self, call: Callable[[str], Awaitable[Reply]], action: Action) -> None:
        async with self._turn:
            run, self._incarnation = self._incarnation, ""
            self._past.append(run)
            self._stop_watching()
            self.expected = frozenset({ABSENT})
            while True:
                reply = await call(run)
                self._keep(action, reply, run, "")
                if reply.status is not None and reply.status < 500:
                    return
                await asyncio.sleep(RETRY_SECONDS)

    async def _die(self) -> None:
        self._stop_watching()
        self._server.die()
        self._died_at = time.time()
        self.expected = frozenset({CRITICAL, ABSENT} if self.part.is_given_up else {CRITICAL})

    async def _fall_ill_or_recover(self) -> None:
        if self.part.heartbeat != "http":
            return
        self._is_ill = not self._is_ill
        if self._is_ill:
            self.expected = frozenset({CRITICAL})
            if self.part.is_given_up:
                # It may be deregistered any time, and is not probed then.
                self._stop_watching()
                self.expected |= {ABSENT}
        else:
            # It may have been given up meanwhile.
            await self._register()

    async def _register_for_a_past_run(self) -> None:
        """Register as a process does that was thought to be dead and is not."""
        if self._past:
            run, version = self._past[-1], str(next(_versions))
            reply = await self._registry.call("PUT", path(self.key), self._declaration(run, version))
            self._keep(Action.REGISTER, reply, run, version, is_of_a_past_run=True)

    def _declaration(self, run: str, version: str) -> dict[str, object]:
        url = self._server.url
        return {
            "url": url,
            "requires": list(self.part.requires),
            "version": version,
            "incarnation": run,
            "heartbeat": {
                "kind": self.part.heartbeat,
                "interval_seconds": TTL_SECONDS if self.part.heartbeat == "ttl" else INTERVAL_SECONDS,
                "timeout_seconds": TIMEOUT_SECONDS,
                "failures_before_critical": FAILURES_BEFORE_CRITICAL,
                "deregister_after_seconds": DEREGISTER_AFTER_SECONDS if self.part.is_given_up else None,
            },
            **({"notify_url": f"{url}/hook", "notify_secret": self._secret} if self.part.is_told else {}),
        }

    async def _beat(self, run: str) -> None:
        while self._server.is_up and self._incarnation == run:
            reply = await self._registry.call("PUT", f"{path(self.key)}/heartbeat")
            if reply.status == 404 and self._incarnation == run:
                await self._register()
            await asyncio.sleep(TTL_SECONDS / 4)

    async def _poll(self, run: str) -> None:
        """Keep the view by long polls."""
        while self._server.is_up and self._incarnation == run:
            reply = await self._registry.providers(self.key, after=self.view.revision)
            if self._incarnation != run:
                return
            if reply.status == 200:
                self._take(reply)
            else:
                await asyncio.sleep(RETRY_SECONDS)

    async def _ask(self) -> None:
        """Ask for the whole, until it is answered."""
        run, self._is_asking = self._incarnation, True
        try:
            while self._server.is_up and self._incarnation == run:
                reply = await self._registry.providers(self.key)
                if reply.status == 200 and self._incarnation == run:
                    self._take(reply)
                    return
                await asyncio.sleep(RETRY_SECONDS)
        finally:
            self._is_asking = False

    def _take(self, reply: Reply) -> None:
        if self.view.take(reply.body["revision"], reply.body["providers"]):
            self._note_step()

    def _note_step(self) -> None:
        self._history.steps.append(Step(key=self.key, incarnation=self._incarnation, revision=self.view.revision))

    async def _answer(self, request: Request) -> int | None:
        if request.path == "/hook":
            return await self._receive(request)
        self._probes.append(time.time())
        return 503 if self._is_ill else 200

    def _see_connection(self) -> None:
        if self.part.heartbeat == "tcp":
            self._probes.append(time.time())

    async def _receive(self, request: Request) -> int | None:
        kind = self._mood.kind if self._is_moody else None
        if kind is Kind.HANG:
            await self._mood.wait()
            return None
        if kind is Kind.CLOSE:
            return None
        if kind is Kind.GONE:
            # Deliveries end with this answer until it registers again.
            self._spawn(self._come_back())
            return 410
        if not self.is_alive:
            # Its registration is not answered yet: it is told again.
            return 503
        if kind is not Kind.ERROR and not self._follow(request):
            return 400
        return 500 if kind in (Kind.ERROR, Kind.APPLY_AND_FAIL) else 204

    async def _come_back(self) -> None:
        run = self._incarnation
        await self._mood.wait()
        if self._incarnation == run and self.is_alive:
            await self._register()

    def _follow(self, request: Request) -> bool:
        """Apply a message to the view; False where its signature is not valid."""
        data = json.loads(request.body)["data"]
        subscriber = data["subscriber"]
        told = Told(
            key=self.key,
            at=time.time(),
            webhook_id=request.headers["webhook-id"],
            subscriber=(subscriber["service"], subscriber["instance"]),
            from_revision=data["from_revision"],
            to_revision=data["to_revision"],
            mentioned=frozenset(each["service"] for what in ("added", "changed", "removed") for each in data[what]),
            requires=frozenset(self.part.requires),
            is_signed=self._is_signed(request),
        )
        self._history.told.append(told)
        if told.is_signed:
            self._registry.note_webhook(told)
            if self.view.follow(data):
                self._note_step()
            elif not self._is_asking:
                self._spawn(self._ask())
        return told.is_signed

    def _is_signed(self, request: Request) -> bool:
        webhook = Webhook(self._secret)
        if self._mood.clocks_set:
            # The time in the message is an hour off, and so refused: look at the signature alone.
            timestamp = datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), UTC)
            signature = webhook.sign(request.headers["webhook-id"], timestamp, request.body.decode())
            return signature in request.headers["webhook-signature"].split()
        try:
            webhook.verify(request.body, dict(request.headers))
        except WebhookVerificationError:
            return False
        return True

    def _keep(self, action: Action, reply: Reply, run: str, version: str, *, is_of_a_past_run: bool = False) -> None:
        self._history.writes.append(
            Write(
                action=action,
                key=self.key,
                incarnation=run,
                version=version,
                sent_at=reply.sent_at,
                ended_at=reply.ended_at,
                status=reply.status,
                failure=reply.failure,
                revision=reply.revision,
                is_of_a_past_run=is_of_a_past_run,
            )
        )

    def _watch(self) -> None:
        if self._watched_since is None and self.part.heartbeat != "ttl":
            self._watched_since, self._probes = time.time(), []

    def _stop_watching(self) -> None:
        if self._watched_since is not None:
            self._history.watches.append(
                Watch(
                    key=self.key,
                    since=self._watched_since,
                    until=time.time(),
                    interval_seconds=INTERVAL_SECONDS,
                    timeout_seconds=TIMEOUT_SECONDS,
                    probes=tuple(self._probes),
                )
            )
            self._watched_since = None

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        job = asyncio.create_task(coroutine)
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)


class Fleet:
    """All of them."""

    def __init__(
        self, registry: Registry, history: History, *, seed: int, address: str, services: int = 15, instances: int = 4
    ) -> None:
        self.mood = Mood()
        self.history = history
        self._registry = registry
        self._is_quiet = asyncio.Event()
        self._lives: list[asyncio.Task[None]] = []
        self.members = [
            SmallService(part, registry, history, self.mood, chance=Random(f"{seed}/{part.key[1]}"), address=address)
            for part in parts(services, instances)
        ]

    def live(self) -> None:
        """Let the services act at will from now on."""
        self._is_quiet.clear()
        self._lives = [asyncio.create_task(each.live(self._is_quiet)) for each in self.members]

    def calm(self) -> None:
        """Let no service begin anything from now on."""
        self._is_quiet.set()

    @property
    def is_settled(self) -> bool:
        """Whether each has been answered what it had begun."""
        return all(life.done() for life in self._lives)

    async def end(self) -> None:
        for life in self._lives:
            life.cancel()
        await asyncio.gather(*self._lives, return_exceptions=True)
        await asyncio.gather(*(each.end() for each in self.members))

    async def state(self) -> State | None:
        """The present state; None while the registry does not answer."""
        services = sorted({each.key[0] for each in self.members})
        asked = [self._registry.call("GET", f"/v1/services/{name}/instances?consistent") for name in services]
        replies = await asyncio.gather(*asked)
        if any(reply.status != 200 for reply in replies):
            return None
        found = [each for reply in replies for each in reply.body["instances"]]
        stored = [
            Stored(
                key=(each["service"], each["instance"]),
                status=each["status"],
                version=each["version"],
                is_suspect=each["suspect"],
                is_held=_is_held(each),
            )
            for each in found
        ]
        alive = [each for each in self.members if each.is_alive]
        return State(
            stored={each.key: each for each in stored},
            expected={each.key: each.expected for each in self.members},
            requires={each.key: frozenset(each.part.requires) for each in alive},
            views={each.key: dict(each.view.offered) for each in alive},
        )


def _is_held(instance: dict[str, Any]) -> bool:
    since = datetime.fromisoformat(instance["status_since"]).timestamp()
    return instance["status_reason"].startswith("changes too often") and time.time() - since < HELD_SECONDS
