"""Sending: claimed webhooks through the pipeline of this process, and what came of them to the cursors."""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from django.utils import timezone

from registry import wakeups
from registry.instances.declaration import address_policy
from registry.outbound import urls
from registry.outbound.client import Client, Outcome, Request, Timeouts
from registry.outbound.pipeline import Pipeline
from registry.webhooks import cursors
from registry.webhooks.compose import Message
from registry.webhooks.cursors import ANSWER_CHARACTERS, TIMEOUT_SECONDS, Attempt
from registry.webhooks.host_limits import Address, Hosts
from registry.wire import signature as webhooks
from registry.wire.bodies import tenths

CAPACITY = 8000
BATCH = 1000
MAX_CONNECTIONS = 8000
IDLE_SECONDS = 60.0
# What takes longer and brings no whole answer holds a place that others wait for.
PATIENCE_MS = 1000.0


def sweep(*, now: datetime) -> None:
    """Claim every dependent that lags, as far as this process has room for it, and tell it."""
    running = pipeline()
    while running.room > 0:
        limit = min(BATCH, running.room)
        left_alone = hosts().release()
        sent, refused = admitted(cursors.claim(now=now, limit=limit, left_alone=left_alone), hosts())
        # First, so that all who were admitted are settled, whatever becomes of the others.
        running.submit(sent)
        cursors.put_back(refused, now=now)
        if not cursors.lagging(now=now.timestamp(), left_alone=hosts().waiting()):
            return


def admitted(messages: Sequence[Message], hosts: Hosts) -> tuple[list[Message], list[Message]]:
    """Those that may be sent now, and those that must be put back, whose dependents wait for a place."""
    sent: list[Message] = []
    refused: list[Message] = []
    for message in messages:
        address = _address(message)
        if hosts.admit(address):
            sent.append(message)
            hosts.wait_no_longer(message.instance_id)
        else:
            refused.append(message)
            hosts.wait(address, message.instance_id)
    return sent, refused


@cache
def hosts() -> Hosts:
    return Hosts()


@cache
def pipeline() -> Pipeline[Message, Outcome, Attempt]:
    return Pipeline(Sender, _write, name="courier", capacity=CAPACITY)


def _address(message: Message) -> Address:
    """Empty where the URL is none, which the exchange says."""
    try:
        origin = urls.parse(message.url).origin
    except ValueError:
        return "", 0
    return origin.host, origin.port


def _has_answered(outcome: Outcome) -> bool:
    """Or failed in no time: who hangs is whoever keeps us waiting."""
    error = outcome.error
    return error is None or error.is_ours or outcome.latency_ms < PATIENCE_MS


class Sender:
    """Signs and posts webhooks; only a 2xx is success, no redirect is followed. Belongs to the running event loop."""

    def __init__(self) -> None:
        self._client = Client(address_policy(), max_connections=MAX_CONNECTIONS, idle_seconds=IDLE_SECONDS)

    def start(self, message: Message, on_outcome: Callable[[Outcome], None]) -> None:
        """Begin one that was admitted."""
        try:
            self._client.start(_request(message, timestamp=int(time.time())), on_outcome)
        except Exception:
            hosts().settle(_address(message), has_answered=True)
            raise

    def conclude(self, message: Message, outcome: Outcome) -> Attempt:
        hosts().settle(_address(message), has_answered=_has_answered(outcome))
        return _attempt(message, outcome)

    async def send(self, message: Message) -> Attempt:
        return _attempt(message, await self._client.send(_request(message, timestamp=int(time.time()))))

    async def close(self) -> None:
        await self._client.close()


def send_now(message: Message) -> Attempt:
    """Send one outside the pipeline and wait for what comes of it; the attempt is logged."""

    async def once() -> Attempt:
        sender = Sender()
        try:
            return await sender.send(message)
        finally:
            await sender.close()

    attempt = asyncio.run(once())
    cursors.log([attempt], now=timezone.now())
    return attempt


def attempt_body(attempt: Attempt) -> dict[str, Any]:
    """As it looks on the wire (docs/protocol.md)."""
    return {
        "webhook_id": attempt.message.id,
        "succeeded": attempt.succeeded,
        "status_code": attempt.status_code,
        "duration_ms": tenths(attempt.duration_ms),
        "error": attempt.error,
        "answer": attempt.answer,
    }


def _request(message: Message, *, timestamp: int) -> Request:
    signature = webhooks.signatures(
        secrets=message.secrets, message_id=message.id, timestamp=timestamp, body=message.body
    )
    return Request(
        method="POST",
        url=message.url,
        headers=(
            ("content-type", "application/json"),
            ("webhook-id", message.id),
            ("webhook-timestamp", str(timestamp)),
            ("webhook-signature", signature),
        ),
        body=message.body,
        timeouts=Timeouts(resolve=2.0, connect=3.0, first_byte=TIMEOUT_SECONDS, total=TIMEOUT_SECONDS),
        max_body_bytes=ANSWER_CHARACTERS,
    )


def _attempt(message: Message, outcome: Outcome) -> Attempt:
    error = "" if outcome.is_success else outcome.detail or f"POST {message.url} answered {outcome.status}, not 2xx"
    return Attempt(
        message=message,
        status_code=outcome.status,
        duration_ms=outcome.latency_ms,
        error=error,
        answer=outcome.body.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}"),
        retry_after_seconds=_retry_after(outcome),
    )


def _retry_after(outcome: Outcome) -> float | None:
    value = outcome.header("retry-after") or ""
    return float(value) if value.isdecimal() else None


def _write(attempts: list[Attempt]) -> None:
    now = timezone.now()
    cursors.record(attempts, now=now)
    if cursors.lagging(now=now.timestamp(), left_alone=hosts().waiting()):
        wakeups.wake_notifications()
