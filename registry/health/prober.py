"""Probing: the event loop's side, from a claimed heartbeat to its result."""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from urllib.parse import urlsplit

from django.db import DatabaseError, close_old_connections, connections

from config.networks import DEFAULT_PORTS
from registry.health import leases
from registry.health.crash_detector import CrashDetector
from registry.health.follow_ups import FollowUps
from registry.health.listen_watch import LOOK_SECONDS, ListenWatch
from registry.health.probe import Due, Finding, Result
from registry.health.start_delay import Delays
from registry.models import HeartbeatKind
from registry.outbound.address_policy import AddressPolicy
from registry.outbound.client import Client, Error, Origin, Outcome, Request, Timeouts
from registry.outbound.timer_wheel import TICK_SECONDS, Wheel
from registry.wire.plain_text import escaped

MAX_CONNECTIONS = 15_000
# More than a worker has instances: probed in turns, they would never be found in a cache that is too small.
MAX_REMEMBERED = 200_000
IDLE_SECONDS = 90.0
# How often, and after how long, an alarmed instance is tried to be claimed: as long as a refusal is conclusive.
TRIES = 100
RETRY_SECONDS = 0.05
# No claim looks further ahead; what seems to lie later was claimed before the clock was set back.
LONGEST_WAIT_SECONDS = 60.0
TOO_MANY_REQUESTS = 429
SERVER_ERROR = 500
# How long a server may take to answer HTTP before it is taken not to speak it.
CHOICE_SECONDS = 1.0
SCHEMES = ("tcp", "http", "https")
# A connection stood, and what came on it was no HTTP, or nothing.
_SPEAKS_NO_HTTP = (Error.TIMEOUT, Error.MALFORMED, Error.TOO_LARGE_HEADERS, Error.TLS_FAILED)
_ENDS_HTTP = (Error.RESET, Error.CLOSED_EARLY)
# A peer that has just lost its process does one of these; nothing else is followed up so soon.
_BROKEN_OFF = (Error.CONNECTION_REFUSED, Error.RESET, Error.CLOSED_EARLY)

logger = logging.getLogger(__name__)


def claim_alarmed(instance_ids: Collection[int]) -> list[Due]:
    """Claim instances that an alarm is about; none when the database is away, for they stay due as they were."""
    try:
        close_old_connections()
        return leases.claim_now(instance_ids, now=time.time())
    except DatabaseError as error:
        # A line: the disk may be full, too.
        logger.warning("%d instances cannot be probed at once and wait until due: %s", len(instance_ids), error)
        return []


class Prober:
    """Belongs to the running event loop.

    Connections stay open between probes, and each is a watch: when a peer closes one it is probed again at once, and
    if it then refuses to be connected to, it is dead. `claim` claims the instances that an alarm is about, in a thread
    of its own, and `on_alarm` takes them to be probed.
    """

    def __init__(
        self,
        policy: AddressPolicy,
        *,
        on_alarm: Callable[[list[Due]], None],
        claim: Callable[[Collection[int]], list[Due]] = claim_alarmed,
        delays: Delays | None = None,
    ) -> None:
        self._on_alarm = on_alarm
        self._claim = claim
        self._delays = delays
        self._detector = CrashDetector()
        self._follow_ups = FollowUps()
        self._listen_watch = ListenWatch(
            self._see_stop, on_return=lambda origin: self.raise_alarm(self._died.pop(origin, ()))
        )
        # The instances that died at an origin, to be probed when it listens again.
        self._died: dict[Origin, set[int]] = {}
        self._client = Client(
            policy,
            max_connections=MAX_CONNECTIONS,
            idle_seconds=IDLE_SECONDS,
            on_peer_closed=self._see_close,
        )
        self._request = lru_cache(maxsize=MAX_REMEMBERED)(_request)
        self._tcp_address = lru_cache(maxsize=MAX_REMEMBERED)(_tcp_address)
        # Claimed here already, and not due yet.
        self._waiting: dict[int, _Waiting] = {}
        self._wheel = Wheel(asyncio.get_running_loop())
        # How often each is still to be tried.
        self._alarmed: dict[int, int] = {}
        self._looking = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look_for_stops)
        self._claimer = ThreadPoolExecutor(1, thread_name_prefix="prober-claimer")
        self._claiming: asyncio.Task[None] | None = None

    async def close(self) -> None:
        if self._claiming is not None:
            self._claiming.cancel()
        # As the interpreter ends, its thread has ended before this, and the thread's connections with it.
        with suppress(RuntimeError):
            self._claimer.submit(connections.close_all)
        self._claimer.shutdown()
        self._looking.cancel()
        self._listen_watch.close()
        self._wheel.stop()
        await self._client.close()

    def start(self, due: Due, on_outcome: Callable[[Outcome | None], None]) -> None:
        """Probe one instance as its heartbeat is declared, when it is due; None is the outcome of a missing beat."""
        early = due.due_at - time.time()
        if early > 0:
            waiting = self._waiting[due.instance_id] = _Waiting(self, due, on_outcome)
            # The wheel is up to a tick late, and a tick early does no harm.
            self._wheel.add(waiting, time.perf_counter() + min(early, LONGEST_WAIT_SECONDS) - TICK_SECONDS)
        else:
            self.begin(due, on_outcome)

    def begin(self, due: Due, on_outcome: Callable[[Outcome | None], None]) -> None:
        """The same as `start`, but at once."""
        self._waiting.pop(due.instance_id, None)
        if self._delays is not None:
            self._delays.add(time.time() - due.due_at)
        if due.kind == HeartbeatKind.TTL:
            on_outcome(None)
        elif due.kind == HeartbeatKind.TCP:
            timeouts = Timeouts.within(due.timeout_seconds)
            self._client.start_connect(*self._tcp_address(due.url), timeouts, on_outcome)
        else:
            # Where a kind is yet to be chosen, a server that says nothing to HTTP is not waited for for long.
            limit = CHOICE_SECONDS if due.kind == HeartbeatKind.AUTO else due.timeout_seconds
            self._client.start(self._request(due.url, min(limit, due.timeout_seconds)), on_outcome)

    def conclude(self, due: Due, outcome: Outcome | None) -> Result:
        """The result of a probe; when that is a death, the other instances of its origin are probed at once."""
        if outcome is None:
            return Result(due, Finding.FAILURE, f"no beat within {due.interval_seconds:g} s", None)
        is_tcp = due.kind == HeartbeatKind.TCP
        if due.kind == HeartbeatKind.AUTO:
            result, is_tcp = self._choice(due, outcome)
        else:
            result = self._tcp_result(due, outcome) if is_tcp else _http_result(due, outcome)
        result = self._watched(result, outcome, self._origin(due, is_tcp=is_tcp))
        if result.finding is Finding.FAILURE and outcome.error in _BROKEN_OFF:
            delay = self._follow_ups.delay(due, now=time.perf_counter())
            if delay is not None:
                self._wheel.add(_FollowUp(self, due.instance_id), time.perf_counter() + delay)
        return result

    async def probe(self, due: Due) -> Result:
        """Probe one instance now."""
        outcome: asyncio.Future[Outcome | None] = asyncio.get_running_loop().create_future()
        self.begin(due, outcome.set_result)
        return self.conclude(due, await outcome)

    def raise_alarm(self, instance_ids: Iterable[int]) -> None:
        """Claim these instances and probe them at once."""
        self._alarmed.update(dict.fromkeys(instance_ids, TRIES))
        if self._alarmed and self._claiming is None:
            self._claiming = asyncio.get_running_loop().create_task(self._probe_alarmed())

    def _choice(self, due: Due, outcome: Outcome) -> tuple[Result, bool]:
        """The result of a probe that chooses the kind of heartbeat, and whether it has chosen `tcp`.

        A server that closes or resets what HTTP is sent on may be a proxy before one that is about to begin: it is
        asked once more.
        """
        answers_http = outcome.error is None and outcome.status is not None and outcome.status < SERVER_ERROR
        if answers_http:
            return _http_result(due, outcome)._replace(chosen_kind=HeartbeatKind.HTTP.value), False
        is_reached = outcome.error is None or outcome.error in _SPEAKS_NO_HTTP
        if is_reached or (outcome.error in _ENDS_HTTP and due.failures):
            host, port = self._tcp_address(due.url)
            detail = f"{host}:{port} accepts connections and does not speak HTTP"
            chosen = Result(due, Finding.SUCCESS, detail, None, HeartbeatKind.TCP.value)
            return chosen, True
        return _http_result(due, outcome), False

    def _origin(self, due: Due, *, is_tcp: bool) -> Origin | None:
        """The origin that a probe asks; None when its URL is malformed."""
        if is_tcp:
            return Origin("tcp", *self._tcp_address(due.url))
        try:
            return self._request(due.url, due.timeout_seconds).target.origin
        except ValueError:
            return None

    def _watched(self, result: Result, outcome: Outcome, origin: Origin | None) -> Result:
        """The result in the light of how its origin's connections have closed."""
        due, now = result.due, time.perf_counter()
        if origin is None:
            return result
        if result.finding in (Finding.SUCCESS, Finding.WARNING):
            self._detector.see_pass(origin, due.instance_id, was_reused=outcome.reused, now=now)
            self._died.pop(origin, None)
            self._listen_watch.add(origin)
            if due.is_watched and not outcome.reused:
                self._client.hold(origin.host, origin.port, Timeouts.within(due.timeout_seconds))
        elif outcome.error is Error.CONNECTION_REFUSED:
            if self._detector.see_refusal(origin, now=now):
                self.raise_alarm(self._detector.take_fellows(origin))
                detail = f"{origin} is closed and refuses connections: its process is gone."
                self._died.setdefault(origin, set()).add(due.instance_id)
                return result._replace(finding=Finding.DEAD, detail=detail)
        elif outcome.error in (Error.RESET, Error.CLOSED_EARLY):
            self._see_close(origin, 0.0)
        return result

    def _see_close(self, origin: Origin, idle_seconds: float) -> None:
        now = time.perf_counter()
        # A silent connection is held for whatever is asked there.
        alike = [origin._replace(scheme=each) for each in SCHEMES] if origin.scheme == "tcp" else [origin]
        found = (self._detector.see_close(each, idle_seconds, now=now) for each in alike)
        self.raise_alarm([scout for scout in found if scout is not None])

    def _see_stop(self, origin: Origin) -> None:
        scout = self._detector.see_stop(origin, now=time.perf_counter())
        if scout is not None:
            self.raise_alarm([scout])

    def _look_for_stops(self) -> None:
        self._listen_watch.look(now=time.perf_counter())
        self._looking = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look_for_stops)

    async def _probe_alarmed(self) -> None:
        """Claim together all that came up while the claim before was made.

        An instance that is held just now is tried again for a while: its last result is about to be written, or this
        process has claimed it and will find it waiting.
        """
        loop = asyncio.get_running_loop()
        try:
            while self._alarmed:
                for each in self._waiting.keys() & self._alarmed.keys():
                    del self._alarmed[each]
                    waiting = self._waiting[each]
                    self._wheel.remove(waiting)
                    waiting.expire(0.0)
                ids = set(self._alarmed)
                if not ids:
                    return
                try:
                    claiming = loop.run_in_executor(self._claimer, self._claim, ids)
                except RuntimeError:
                    # This process ends and has shut the executor down: they stay due.
                    self._alarmed.clear()
                    return
                self._take(ids, await claiming)
                if self._alarmed:
                    await asyncio.sleep(RETRY_SECONDS)
        finally:
            self._claiming = None

    def _take(self, alarmed: Collection[int], claimed: list[Due]) -> None:
        """Probe what was claimed, and count the tries of the others down."""
        taken = {due.instance_id for due in claimed}
        for each in alarmed:
            tries = 0 if each in taken else self._alarmed[each] - 1
            if tries:
                self._alarmed[each] = tries
            else:
                del self._alarmed[each]
        self._on_alarm(claimed)

    def _tcp_result(self, due: Due, outcome: Outcome) -> Result:
        host, port = self._tcp_address(due.url)
        detail = escaped(outcome.detail) if outcome.error else f"{host}:{port} accepts connections"
        finding = _failure(outcome) if outcome.error else _slow_or_not(due, outcome)
        return Result(due, finding, detail, outcome.latency_ms)


class _Waiting:
    """A probe that is claimed and not due yet."""

    __slots__ = ("_due", "_on_outcome", "_prober", "tick")

    def __init__(self, prober: Prober, due: Due, on_outcome: Callable[[Outcome | None], None]) -> None:
        self.tick = 0
        self._prober = prober
        self._due = due
        self._on_outcome = on_outcome

    def expire(self, now: float) -> None:
        self._prober.begin(self._due, self._on_outcome)


class _FollowUp:
    """An instance that has just failed and is looked at again soon."""

    __slots__ = ("_instance_id", "_prober", "tick")

    def __init__(self, prober: Prober, instance_id: int) -> None:
        self.tick = 0
        self._prober = prober
        self._instance_id = instance_id

    def expire(self, now: float) -> None:
        self._prober.raise_alarm([self._instance_id])


def _request(url: str, timeout_seconds: float) -> Request:
    return Request(method="GET", url=url, timeouts=Timeouts.within(timeout_seconds), max_body_bytes=0, asks_again=True)


def _tcp_address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme, 80)


def _http_result(due: Due, outcome: Outcome) -> Result:
    """Judge an HTTP answer: 2xx passes, 429 warns, all else fails, and so does no answer."""
    if outcome.error is not None:
        finding, detail = _failure(outcome), escaped(outcome.detail)
    elif outcome.status == TOO_MANY_REQUESTS:
        finding, detail = Finding.WARNING, f"GET {due.url} answered 429: it is overloaded"
    elif outcome.is_success or (due.is_kind_chosen and outcome.status is not None and outcome.status < SERVER_ERROR):
        finding, detail = _slow_or_not(due, outcome), f"GET {due.url} answered {outcome.status}"
    else:
        finding, detail = (
            Finding.FAILURE,
            f"GET {due.url} answered {outcome.status}, not {'below 500' if due.is_kind_chosen else '2xx'}",
        )
    if finding is Finding.WARNING and outcome.status != TOO_MANY_REQUESTS:
        detail = f"{detail} after more than {due.warn_after_seconds:g} s"
    return Result(due, finding, detail, outcome.latency_ms)


def _failure(outcome: Outcome) -> Finding:
    ours = outcome.error is not None and outcome.error.is_ours
    return Finding.INCONCLUSIVE if ours else Finding.FAILURE


def _slow_or_not(due: Due, outcome: Outcome) -> Finding:
    limit = due.warn_after_seconds
    return Finding.WARNING if limit is not None and outcome.latency_ms > limit * 1000 else Finding.SUCCESS
