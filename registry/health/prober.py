"""Probing: claimed heartbeats through the pipeline of this process, and their results to the verdict."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache
from urllib.parse import urlsplit

from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from registry.health import canary, leases, probe_counts
from registry.health import results as heartbeats
from registry.health.crash_detector import Watch
from registry.health.leases import Due
from registry.health.results import Result
from registry.health.start_delay import Tally
from registry.health.verdict import Finding
from registry.instances.declaration import address_policy
from registry.models import HeartbeatKind, Status
from registry.outbound.client import Client, Error, Origin, Outcome, Request, Timeouts
from registry.outbound.pipeline import Pipeline
from registry.outbound.timer_wheel import TICK_SECONDS, Wheel

CAPACITY = 40_000
BATCH = 2000
# What falls due before beat's next tick is claimed by this one, and probed to the moment; a tick may be late by more
# than a second before any probe is.
AHEAD_SECONDS = 2.5
MAX_CONNECTIONS = 15_000
# More than there are instances to a worker: asked in turns, a cache that is too small never holds what is asked for.
MAX_REMEMBERED = 200_000
IDLE_SECONDS = 90.0
LINGER_SECONDS = 0.2
# How often, and after how long, what an alarm is about is tried to be claimed.
TRIES = 40
RETRY_SECONDS = 0.05
TOO_MANY_REQUESTS = 429

logger = logging.getLogger(__name__)


def sweep(*, now: float) -> None:
    """Claim all that is due, as far as this process has room for it, and probe it."""
    running = pipeline()
    while running.room > 0:
        limit = min(BATCH, running.room)
        due = leases.claim(now=now, limit=limit, ahead=AHEAD_SECONDS)
        running.submit(due)
        if len(due) < limit:
            return


@cache
def pipeline() -> Pipeline[Due, Outcome | None, Result]:
    return Pipeline(
        _prepare, _write, name="prober", capacity=CAPACITY, linger_seconds=LINGER_SECONDS, is_urgent=_is_news
    )


def _prepare() -> "Prober":
    return Prober(on_alarm=lambda due: pipeline().submit(due))


def _is_news(result: Result) -> bool:
    """Whether the verdict may change with it; what passes and has passed can wait to be written."""
    due = result.due
    return result.finding is not Finding.SUCCESS or due.status != Status.PASSING or due.is_suspect


@cache
def tally() -> Tally:
    return Tally()


def _write(results: list[Result]) -> None:
    has_failures = any(result.finding in (Finding.FAILURE, Finding.DEAD) for result in results)
    heartbeats.record(results, is_cut_off=has_failures and canary.is_silent(), now=timezone.now())
    probe_counts.observe(results, now=time.time())
    tally().flush()


class Prober:
    """Belongs to the running event loop.

    Connections stay open between probes, and each is a watch: when a peer closes one it is probed again at once, and
    if it then refuses to be connected to, it is dead. `on_alarm` takes the probes that were claimed for that.
    """

    def __init__(self, *, on_alarm: Callable[[list[Due]], None]) -> None:
        self._on_alarm = on_alarm
        self._watch = Watch()
        self._client = Client(
            address_policy(),
            max_connections=MAX_CONNECTIONS,
            idle_seconds=IDLE_SECONDS,
            on_peer_closed=self._see_close,
        )
        # Claimed here already, and not due yet.
        self._waiting: dict[int, _Waiting] = {}
        self._wheel = Wheel(asyncio.get_running_loop())
        # How often each is still to be tried.
        self._alarmed: dict[int, int] = {}
        self._claimer = ThreadPoolExecutor(1, thread_name_prefix="prober-claimer")
        self._claiming: asyncio.Task[None] | None = None

    async def close(self) -> None:
        if self._claiming is not None:
            await self._claiming
        self._claimer.shutdown()
        self._wheel.stop()
        await self._client.close()

    def start(self, due: Due, on_outcome: Callable[[Outcome | None], None]) -> None:
        """Probe one instance as its heartbeat is declared, when it is due; None comes of a beat that did not."""
        early = due.due_at - time.time()
        if early > 0:
            waiting = self._waiting[due.instance_id] = _Waiting(self, due, on_outcome)
            # The wheel is up to a tick late, and a tick early does no harm.
            self._wheel.add(waiting, time.perf_counter() + early - TICK_SECONDS)
        else:
            self.begin(due, on_outcome)

    def begin(self, due: Due, on_outcome: Callable[[Outcome | None], None]) -> None:
        """As `start`, but at once."""
        self._waiting.pop(due.instance_id, None)
        tally().add(time.time() - due.due_at)
        if due.kind == HeartbeatKind.TTL:
            on_outcome(None)
        elif due.kind == HeartbeatKind.TCP:
            timeouts = Timeouts.within(due.timeout_seconds)
            self._client.start_connect(*_tcp_address(due.url), timeouts, on_outcome)
        else:
            self._client.start(_request(due.url, due.timeout_seconds), on_outcome)

    def conclude(self, due: Due, outcome: Outcome | None) -> Result:
        """What was found; when that is a death, the other instances of its origin are probed at once."""
        if outcome is None:
            return Result(due, Finding.FAILURE, f"no beat within {due.interval_seconds:g} s", None)
        if due.kind == HeartbeatKind.TCP:
            return _tcp_result(due, outcome)
        result = _http_result(due, outcome)
        if result.finding in (Finding.SUCCESS, Finding.WARNING):
            origin = _request(due.url, due.timeout_seconds).target.origin
            self._watch.see_pass(origin, due.instance_id, was_reused=outcome.reused, now=time.perf_counter())
        elif outcome.error is Error.CONNECTION_REFUSED:
            return self._judge_refusal(result, _request(due.url, due.timeout_seconds).target.origin)
        elif outcome.error in (Error.RESET, Error.CLOSED_EARLY):
            self._see_close(_request(due.url, due.timeout_seconds).target.origin, 0.0)
        return result

    async def probe(self, due: Due) -> Result:
        """Probe one instance now."""
        outcome: asyncio.Future[Outcome | None] = asyncio.get_running_loop().create_future()
        self.begin(due, outcome.set_result)
        return self.conclude(due, await outcome)

    def _judge_refusal(self, result: Result, origin: Origin) -> Result:
        if not self._watch.is_conclusive(origin, now=time.perf_counter()):
            return result
        self._raise_alarm(self._watch.take_fellows(origin))
        detail = f"{origin} closed its connection and refuses another: its process is gone."
        return Result(result.due, Finding.DEAD, detail, result.latency_ms)

    def _see_close(self, origin: Origin, idle_seconds: float) -> None:
        scout = self._watch.see_close(origin, idle_seconds, now=time.perf_counter())
        if scout is not None:
            self._raise_alarm([scout])

    def _raise_alarm(self, instance_ids: Iterable[int]) -> None:
        self._alarmed.update(dict.fromkeys(instance_ids, TRIES))
        if self._alarmed and self._claiming is None:
            self._claiming = asyncio.get_running_loop().create_task(self._probe_alarmed())

    async def _probe_alarmed(self) -> None:
        """All that came up while the claim before was made are claimed together.

        What is held just now is tried again a few times: its last result is about to be written, or this process has
        claimed it and will find it waiting.
        """
        try:
            while self._alarmed:
                self._hurry_waiting()
                await self._claim_alarmed()
                if self._alarmed:
                    await asyncio.sleep(RETRY_SECONDS)
        finally:
            self._claiming = None

    def _hurry_waiting(self) -> None:
        for each in self._waiting.keys() & self._alarmed.keys():
            del self._alarmed[each]
            waiting = self._waiting[each]
            self._wheel.remove(waiting)
            waiting.expire(0.0)

    async def _claim_alarmed(self) -> None:
        if not self._alarmed:
            return
        ids = set(self._alarmed)
        try:
            claiming = asyncio.get_running_loop().run_in_executor(self._claimer, _claim_now, ids)
        except RuntimeError:
            # This process ends and has shut the executor down: they stay due.
            self._alarmed.clear()
            return
        due = await claiming
        claimed = {each.instance_id for each in due}
        for each in ids:
            tries = 0 if each in claimed else self._alarmed[each] - 1
            if tries:
                self._alarmed[each] = tries
            else:
                del self._alarmed[each]
        self._on_alarm(due)


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


def _claim_now(instance_ids: set[int]) -> list[Due]:
    try:
        close_old_connections()
        return leases.claim_now(instance_ids, now=time.time())
    except DatabaseError:
        logger.exception("%d instances are not probed at once but when they are due", len(instance_ids))
        return []


@lru_cache(maxsize=MAX_REMEMBERED)
def _request(url: str, timeout_seconds: float) -> Request:
    return Request(method="GET", url=url, timeouts=Timeouts.within(timeout_seconds), max_body_bytes=0)


@lru_cache(maxsize=MAX_REMEMBERED)
def _tcp_address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _tcp_result(due: Due, outcome: Outcome) -> Result:
    host, port = _tcp_address(due.url)
    detail = outcome.detail if outcome.error else f"{host}:{port} accepts connections"
    finding = _failure(outcome) if outcome.error else _slow_or_not(due, outcome)
    return Result(due, finding, detail, outcome.latency_ms)


def _http_result(due: Due, outcome: Outcome) -> Result:
    """2xx passes, 429 warns, all else fails; so does no answer."""
    if outcome.error is not None:
        finding, detail = _failure(outcome), outcome.detail
    elif outcome.status == TOO_MANY_REQUESTS:
        finding, detail = Finding.WARNING, f"GET {due.url} answered 429: it is overloaded"
    elif outcome.is_success:
        finding, detail = _slow_or_not(due, outcome), f"GET {due.url} answered {outcome.status}"
    else:
        finding, detail = Finding.FAILURE, f"GET {due.url} answered {outcome.status}, not 2xx"
    if finding is Finding.WARNING and outcome.status != TOO_MANY_REQUESTS:
        detail = f"{detail} after more than {due.warn_after_seconds:g} s"
    return Result(due, finding, detail, outcome.latency_ms)


def _failure(outcome: Outcome) -> Finding:
    ours = outcome.error is not None and outcome.error.is_ours
    return Finding.INCONCLUSIVE if ours else Finding.FAILURE


def _slow_or_not(due: Due, outcome: Outcome) -> Finding:
    limit = due.warn_after_seconds
    return Finding.WARNING if limit is not None and outcome.latency_ms > limit * 1000 else Finding.SUCCESS
