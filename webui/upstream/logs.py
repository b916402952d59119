"""Log records, as the log service keeps and counts them (docs/logsvc.md)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings

from webui.upstream import exchange

# Two screens of one-line records, which are rendered in half the time of a hundred.
PAGE_SIZE = 60
FACETS = "level,service,instance,logger"
STACKTRACE = "exception.stacktrace"


@dataclass(frozen=True, kw_only=True)
class Record:
    id: str
    time: datetime
    level: str
    service: str
    message: str
    # The number of its arrival, by which the tail goes on.
    seq: int = 0
    received_at: datetime | None = None
    instance: str = ""
    host: str = ""
    logger: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    trace_id: str = ""
    span_id: str = ""
    # The name of the token that sent it.
    token: str = ""
    # Changes that were made to it, such as to a number out of range.
    notes: list[str] | dict[str, Any] = field(default_factory=list)

    @property
    def stacktrace(self) -> str:
        return str(self.attributes.get(STACKTRACE, ""))

    @property
    def details(self) -> dict[str, Any]:
        return {name: value for name, value in self.attributes.items() if name != STACKTRACE}


@dataclass(frozen=True, kw_only=True)
class Page:
    records: list[Record]
    # The cursor of the page of older records; None on the last.
    next: str | None = None
    # False where the search's time was over before its end.
    complete: bool = True


@dataclass(frozen=True, kw_only=True)
class Context:
    before: list[Record]
    record: Record
    after: list[Record]


@dataclass(frozen=True, kw_only=True)
class Bucket:
    time: datetime
    total: int
    levels: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Histogram:
    step_seconds: int
    buckets: list[Bucket]
    complete: bool = True


@dataclass(frozen=True, kw_only=True)
class Value:
    value: str
    records: int


@dataclass(frozen=True, kw_only=True)
class Facets:
    facets: dict[str, list[Value]]
    counted: int = 0
    complete: bool = True


@dataclass(frozen=True, kw_only=True)
class Arrivals:
    """The records that arrived after a cursor, oldest first; not gapless where retention has deleted some of them."""

    records: list[Record]
    cursor: int
    gapless: bool = True


@dataclass(frozen=True, kw_only=True)
class Span:
    """A span as the log service reads it: each end a time, or `-15m`; empty is open."""

    start: str = ""
    end: str = ""


def search(query: str, span: Span, *, cursor: str = "", limit: int = PAGE_SIZE) -> Page:
    """The newest records that match. Raises UpstreamDown, or Refused for a query that the log service rejects."""
    return _ask("", Page, _parameters(query, span) | {"cursor": cursor, "limit": str(limit)})


def last(service: str, *, limit: int) -> list[Record]:
    return search(f'service:"{service}"', Span(), limit=limit).records


def record(identifier: str) -> Record:
    return _ask(f"/{identifier}", Record)


def context(identifier: str, *, around: int) -> Context:
    return _ask(f"/{identifier}/context", Context, {"before": str(around), "after": str(around)})


def histogram(query: str, span: Span, *, buckets: int) -> Histogram:
    return _ask("/histogram", Histogram, _parameters(query, span) | {"buckets": str(buckets)})


def facets(query: str, span: Span) -> Facets:
    return _ask("/facets", Facets, _parameters(query, span) | {"field": FACETS, "limit": "8"})


def arrivals(query: str, *, cursor: str = "", limit: int) -> Arrivals:
    """The records after the cursor; without one none, and the log's end as it is now."""
    return _ask("/arrivals", Arrivals, {"q": query, "cursor": cursor, "limit": str(limit)})


def _parameters(query: str, span: Span) -> dict[str, str]:
    return {"q": query, "from": span.start, "to": span.end}


def _ask(path: str, answer: type[exchange.Answer], parameters: dict[str, str] | None = None) -> exchange.Answer:
    given = {name: value for name, value in (parameters or {}).items() if value}
    question = exchange.Question(
        service="logsvc", path=f"/api/v1/logs{path}", token=settings.LOGSVC_TOKEN, params=given
    )
    return exchange.ask(question, answer)
