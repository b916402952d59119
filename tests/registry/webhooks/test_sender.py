import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import urlsplit

import pytest
from standardwebhooks import Webhook

from registry.models import Delivery
from registry.outbound.address_policy import AddressPolicy
from registry.outbound.types import Outcome
from registry.webhooks import cursors
from registry.webhooks.compose import Message
from registry.webhooks.cursors import Attempt
from registry.webhooks.sender import Sender
from tests import factories
from tests.registry.outbound.odd import WAYS, address, serve_oddly
from tests.registry.outbound.peers import answering_always, peer

pytestmark = pytest.mark.django_db

TAKEN = {"200", "204", "206", "no reason", "HTTP/1.0 without a length", "HTTP/1.0 that says it stays"}
TAKEN |= {"says it closes and stays", "chunks with a trailer", "100 first", "103 first", "a flood"}
# Each of them costs the ten seconds that an answer is waited for.
TIMING_OUT = {"chunks without an end", "silence"}


def message_to(*, now: datetime) -> Message:
    factories.register("webui", now=now, requires=["logsvc"])
    factories.passing("logsvc", now=now)
    (message,) = cursors.claim(now=now, limit=10)
    return message


def headers_of(request: bytes) -> dict[str, str]:
    lines = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return dict(line.split(": ", 1) for line in lines)


def test_each_attempt_is_signed_anew_at_its_own_time(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    message = message_to(now=now)
    requests: list[bytes] = []

    async def scenario() -> None:
        sender = Sender(AddressPolicy(["127.0.0.0/8"]))
        async with peer(answering_always(b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n", requests)) as serving:
            for later in (timedelta(), timedelta(minutes=20)):
                at = datetime.now(tz=now.tzinfo) + later
                with monkeypatch.context() as patched:
                    patched.setattr("registry.webhooks.sender.time.time", at.timestamp)
                    await sender.send(replace(message, url=serving.url))
        await sender.close()

    asyncio.run(scenario())

    first, second = map(headers_of, requests)
    assert first["webhook-id"] == second["webhook-id"]
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) >= 1200
    assert first["webhook-signature"] != second["webhook-signature"]
    Webhook(factories.SECRET).verify(requests[0].partition(b"\r\n\r\n")[2], first)


def test_whatever_a_dependent_answers_the_attempt_is_stored_and_can_be_shown(now: datetime) -> None:
    message = message_to(now=now)

    async def scenario() -> dict[str, Attempt]:
        sender, attempts = Sender(AddressPolicy(["127.0.0.0/8"])), {}
        for way in WAYS.keys() - TIMING_OUT:
            async with peer(serve_oddly([])) as serving:
                parts = urlsplit(serving.url)
                url = f"{parts.scheme}://{parts.netloc}{address(way)}"
                attempts[way] = await sender.send(replace(message, url=url))
        await sender.close()
        return attempts

    attempts = asyncio.run(scenario())
    cursors.log(list(attempts.values()), now=now)

    assert {way for way, attempt in attempts.items() if attempt.succeeded} == TAKEN
    assert attempts["a body with NUL"].answer == "a\\x00b\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}c"
    stored = Delivery.objects.all()
    assert len(stored) == len(attempts)
    assert all(each.error.isprintable() and each.answer.isprintable() for each in stored)


def test_retry_after_is_read_in_both_of_its_forms(now: datetime) -> None:
    message = message_to(now=now)
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=600), usegmt=True).encode()

    async def asked(value: bytes) -> float:
        sender = Sender(AddressPolicy([]))
        head = b"HTTP/1.1 503 Busy\r\nretry-after: %b\r\n\r\n" % value
        attempt = sender.conclude(message, Outcome(status=503, head=head))
        await sender.close()
        return attempt.retry_after_seconds or 0.0

    assert asyncio.run(asked(b"120")) == 120
    assert 500 <= asyncio.run(asked(date)) <= 600
