"""Plain functions that make what the log service's tests need."""

import asyncio
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.conf import settings
from django.db import connection, connections
from rest_framework.test import APIClient

from config.tokens import issuing
from logsvc.query import parser
from logsvc.record import NANOSECONDS, Record, Stored
from logsvc.storage.clickhouse import TABLE
from logsvc.storage.clickhouse_http import Clickhouse, Missing
from logsvc.storage.current import store
from logsvc.storage.interface import Search

if TYPE_CHECKING:
    # The type of the test client's answers is named in its stubs alone.
    from rest_framework.response import _MonkeyPatchedResponse as Answer

# 2026-11-23T12:00:00Z
NOW_NS = 1_795_435_200 * NANOSECONDS
# Past by the clock of every machine, too: by it arrives what is sent to a view or to a process.
PAST_NS = 1_700_740_800 * NANOSECONDS
DAY_NS = 86_400 * NANOSECONDS


def caller(name: str, *scopes: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {issuing.create(name=name, scopes=list(scopes))}")
    return client


def record(body: str = "a grade was added", **members: Any) -> Record:
    given: dict[str, Any] = {"time_ns": NOW_NS, "observed_ns": NOW_NS, "service": "grading", "body": body}
    return Record(**(given | members))


def keep(*records: Record, received_ns: int = NOW_NS) -> int:
    return store().append(records, received_ns=received_ns)


def keep_each(bodies: Iterable[str], **members: Any) -> None:
    """A record for each, a millisecond apart."""
    keep(*(record(body, time_ns=NOW_NS + number * 1_000_000, **members) for number, body in enumerate(bodies)))


def found(query: str = "", **members: Any) -> list[str]:
    """The bodies of the records that a query finds, newest first."""
    return [each.body for each in stored(query, **members)]


def stored(query: str = "", **members: Any) -> list[Stored]:
    return store().search(Search(**({"query": parser.parse(query), "limit": 1000} | members))).records


def empty() -> None:
    """Empty the store as it was when it was made."""
    empty_clickhouse()
    index = "logsvc_text (logsvc_text) VALUES ('delete-all')"
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"INSERT INTO {index}")
        else:
            cursor.execute("DELETE FROM logsvc_uid")
        for table in ("logsvc_log", "logsvc_count"):
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608 -- names of ours
        cursor.execute("UPDATE logsvc_head SET seq = 0, pruned_seq = 0")


def empty_clickhouse() -> None:
    """ClickHouse knows nothing of the transaction that a test is rolled back with."""
    if settings.CLICKHOUSE_URL:
        clickhouse = Clickhouse(settings.CLICKHOUSE_URL, timeout_seconds=60)
        with suppress(Missing):
            clickhouse.execute(f"TRUNCATE TABLE {TABLE}")
        clickhouse.disconnect()


async def in_thread(function: Callable[[], Any]) -> Any:
    """Run in a thread that leaves no connection: one that is found later is a warning in another test."""

    def closing() -> Any:
        try:
            return function()
        finally:
            connections.close_all()

    return await asyncio.to_thread(closing)


def arrivals() -> list[str]:
    """All bodies, in the order of their arrival."""
    return [each.body for each in store().tail(after_seq=0, limit=10_000).records]


def ndjson(*lines: Any) -> bytes:
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def post(client: APIClient, body: bytes, *, path: str = "/api/v1/logs", **headers: str) -> "Answer":
    return client.post(path, body, content_type="application/x-ndjson", headers=headers)


def post_text(client: APIClient, body: bytes, query: str = "") -> "Answer":
    return client.post(f"/log{query}", body, content_type="text/plain")


def new_uid() -> str:
    return uuid4().hex
