"""Sends a webhook: signs and posts it, and makes an attempt of the outcome."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from django.utils import timezone

from config import retry_after
from registry.instances.declaration import address_policy
from registry.outbound.address_policy import AddressPolicy
from registry.outbound.client import Client, Outcome, Request, Timeouts
from registry.webhooks import cursors
from registry.webhooks.compose import Message
from registry.webhooks.cursors import ANSWER_CHARACTERS, TIMEOUT_SECONDS, Attempt
from registry.wire import signature as webhooks
from registry.wire.bodies import tenths
from registry.wire.plain_text import escaped

MAX_CONNECTIONS = 8000
IDLE_SECONDS = 60.0


class Sender:
    """Signs and posts webhooks; only a 2xx is success, no redirect is followed. Belongs to the running event loop."""

    def __init__(self, policy: AddressPolicy) -> None:
        self._client = Client(policy, max_connections=MAX_CONNECTIONS, idle_seconds=IDLE_SECONDS)

    def start(self, message: Message, on_outcome: Callable[[Outcome], None]) -> None:
        self._client.start(_request(message, timestamp=int(time.time())), on_outcome)

    def conclude(self, message: Message, outcome: Outcome) -> Attempt:
        error = "" if outcome.is_success else outcome.detail or f"POST {message.url} answered {outcome.status}, not 2xx"
        return Attempt(
            message=message,
            status_code=outcome.status,
            duration_ms=outcome.latency_ms,
            error=escaped(error),
            answer=escaped(outcome.body.decode("utf-8", "replace")),
            retry_after_seconds=retry_after.seconds(outcome.header("retry-after") or "", now=timezone.now()),
        )

    async def send(self, message: Message) -> Attempt:
        return self.conclude(message, await self._client.send(_request(message, timestamp=int(time.time()))))

    async def close(self) -> None:
        await self._client.close()


def send_now(message: Message) -> Attempt:
    """Send one outside the pipeline and wait for its outcome; the attempt is logged."""

    async def once() -> Attempt:
        sender = Sender(address_policy())
        try:
            return await sender.send(message)
        finally:
            await sender.close()

    attempt = asyncio.run(once())
    cursors.log([attempt], now=timezone.now())
    return attempt


def attempt_body(attempt: Attempt) -> dict[str, Any]:
    """The attempt as a body of the API (docs/protocol.md)."""
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
