"""Probing: claimed heartbeats through the pipeline of this process, and their results to the verdict."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache
from urllib.parse import urlsplit

from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from registry import canary, claims, heartbeats, history
from registry.claims import Due
from registry.declaration import address_policy
from registry.exchange.client import Client, Error, Origin, Outcome, Request, Timeouts
from registry.heartbeats import Result
from registry.models import HeartbeatKind, Status
from registry.pipeline import Pipeline
from registry.punctuality import Tally
from registry.verdict import Finding
from registry.watch import Watch

CAPACITY = 20_000
BATCH = 2000
# What falls due before beat's next tick is claimed by this one, and probed to the moment.
AHEAD_SECONDS = 1.2
MAX_CONNECTIONS = 15_000
IDLE_SECONDS = 90.0
LINGER_SECONDS = 0.2
# How often, and after how long, what an alarm is about is tried to be claimed.
TRIES = 10
RETRY_SECONDS = 0.05
TOO_MANY_REQUESTS = 429

logger = logging.getLogger(__name__)


def sweep(*, now: float) -> None:
    """Claim all that is due, as far as this process has room for it, and probe it."""
    running = pipeline()
    while running.room > 0:
        limit = min(BATCH, running.room)
        due = claims.claim(now=now, limit=limit, ahead=AHEAD_SECONDS)
        running.submit(due)
        if len(due) < limit:
            return


@cache
def pipeline() -> Pipeline[Due, Result]:
    return Pipeline(
        _prepare, _write, name="prober", capacity=CAPACITY, linger_seconds=LINGER_SECONDS, is_urgent=_is_news
    )


def _prepare() -> Callable[[Due], Awaitable[Result]]:
    return Prober(on_alarm=lambda due: pipeline().submit(due)).probe


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
    history.observe(results, now=time.time())
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
        self._waiting: dict[int, asyncio.Future[None]] = {}
        # How often each is still to be tried.
        self._alarmed: dict[int, int] = {}
        self._claimer = ThreadPoolExecutor(1, thread_name_prefix="prober-claimer")
        self._claiming: asyncio.Task[None] | None = None

    async def close(self) -> None:
        if self._claiming is not None:
            await self._claiming
        self._claimer.shutdown()
        await self._client.close()

    async def probe(self, due: Due) -> Result:
        """Probe one instance as its heartbeat is declared, when it is due."""
        early = due.due_at - time.time()
        # What was claimed because of an alarm is early by more, and neither waits nor counts.
        if early <= AHEAD_SECONDS:
            if early > 0:
                await self._wait(due.instance_id, early)
            tally().add(time.time() - due.due_at)
        if due.kind == HeartbeatKind.TTL:
            detail = f"no beat within {due.interval_seconds:g} s"
            return Result(due=due, finding=Finding.FAILURE, detail=detail, latency_ms=None)
        return await (self._probe_tcp(due) if due.kind == HeartbeatKind.TCP else self._probe_http(due))

    async def _wait(self, instance_id: int, seconds: float) -> None:
        """Until its time has come, or an alarm."""
        loop = asyncio.get_running_loop()
        waiter = self._waiting[instance_id] = loop.create_future()
        timer = loop.call_later(seconds, _wake, waiter)
        try:
            await waiter
        finally:
            timer.cancel()
            self._waiting.pop(instance_id, None)

    async def _probe_http(self, due: Due) -> Result:
        request = _request(due.url, due.timeout_seconds)
        outcome = await self._client.send(request)
        result = _http_result(due, outcome)
        if result.finding in (Finding.SUCCESS, Finding.WARNING):
            self._watch.see_pass(
                request.target.origin, due.instance_id, was_reused=outcome.reused, now=time.perf_counter()
            )
        elif outcome.error is Error.CONNECTION_REFUSED:
            return self._judge_refusal(result, request.target.origin)
        return result

    async def _probe_tcp(self, due: Due) -> Result:
        parts = urlsplit(due.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        outcome = await self._client.connect(parts.hostname or "", port, Timeouts.within(due.timeout_seconds))
        detail = outcome.detail if outcome.error else f"{parts.hostname}:{port} accepts connections"
        finding = _failure(outcome) if outcome.error else _slow_or_not(due, outcome)
        return Result(due=due, finding=finding, detail=detail, latency_ms=outcome.latency_ms)

    def _judge_refusal(self, result: Result, origin: Origin) -> Result:
        if not self._watch.is_conclusive(origin, now=time.perf_counter()):
            return result
        self._raise_alarm(self._watch.take_fellows(origin))
        detail = f"{origin} closed its connection and refuses another: its process is gone."
        return Result(due=result.due, finding=Finding.DEAD, detail=detail, latency_ms=result.latency_ms)

    def _see_close(self, origin: Origin, idle_seconds: float) -> None:
        scout = self._watch.see_close(origin, idle_seconds, now=time.perf_counter())
        if scout is not None:
            self._raise_alarm([scout])

    def _raise_alarm(self, instance_ids: Iterable[int]) -> None:
        for each in instance_ids:
            waiter = self._waiting.get(each)
            if waiter is None:
                self._alarmed[each] = TRIES
            else:
                _wake(waiter)
        if self._alarmed and self._claiming is None:
            self._claiming = asyncio.get_running_loop().create_task(self._claim_alarmed())

    async def _claim_alarmed(self) -> None:
        """All that came up while the claim before was made are claimed together.

        What is held just now, because its last result is about to be written, is tried again a few times.
        """
        loop = asyncio.get_running_loop()
        try:
            while self._alarmed:
                ids = set(self._alarmed)
                due = await loop.run_in_executor(self._claimer, _claim_now, ids)
                claimed = {each.instance_id for each in due}
                for each in ids:
                    tries = 0 if each in claimed else self._alarmed[each] - 1
                    if tries:
                        self._alarmed[each] = tries
                    else:
                        del self._alarmed[each]
                self._on_alarm(due)
                if self._alarmed:
                    await asyncio.sleep(RETRY_SECONDS)
        finally:
            self._claiming = None


def _wake(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)


def _claim_now(instance_ids: set[int]) -> list[Due]:
    try:
        close_old_connections()
        return claims.claim_now(instance_ids, now=time.time())
    except DatabaseError:
        logger.exception("%d instances are not probed at once but when they are due", len(instance_ids))
        return []


@lru_cache(maxsize=50_000)
def _request(url: str, timeout_seconds: float) -> Request:
    return Request(method="GET", url=url, timeouts=Timeouts.within(timeout_seconds), max_body_bytes=0)


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
    return Result(due=due, finding=finding, detail=detail, latency_ms=outcome.latency_ms)


def _failure(outcome: Outcome) -> Finding:
    ours = outcome.error is not None and outcome.error.is_ours
    return Finding.INCONCLUSIVE if ours else Finding.FAILURE


def _slow_or_not(due: Due, outcome: Outcome) -> Finding:
    limit = due.warn_after_seconds
    return Finding.WARNING if limit is not None and outcome.latency_ms > limit * 1000 else Finding.SUCCESS
