"""Plain functions that make what the log service's tests need."""

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from rest_framework.test import APIClient

from config.tokens import issuing
from logsvc import records
from logsvc.entries import Entry
from logsvc.models import Record

if TYPE_CHECKING:
    # What the test client answers with has a name in its stubs alone.
    from rest_framework.response import _MonkeyPatchedResponse as Answer

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def caller(name: str, *scopes: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {issuing.create(name=name, scopes=list(scopes))}")
    return client


def entry(message: str = "a grade was added", **members: Any) -> Entry:
    given: dict[str, Any] = {"time": NOW, "level": 20, "service": "grading", "uid": uuid4(), "message": message}
    return Entry(**(given | members))


def keep(*entries: Entry, now: datetime = NOW) -> None:
    records.store(entries, now=now)


def keep_for_days(days: float, *messages: str) -> None:
    """Records received that many days before NOW."""
    keep(*map(entry, messages), now=NOW - timedelta(days=days))


def messages() -> list[str]:
    """What is kept, in the order of arrival."""
    return list(Record.objects.order_by("pk").values_list("message", flat=True))


def ndjson(*lines: Any) -> bytes:
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def post(client: APIClient, body: bytes, **headers: str) -> "Answer":
    return client.post("/v1/records", body, content_type="application/x-ndjson", headers=headers)


def post_text(client: APIClient, body: bytes, query: str = "") -> "Answer":
    return client.post(f"/log{query}", body, content_type="text/plain")
