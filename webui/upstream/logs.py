"""The newest log records, as the log service keeps them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings

from webui.upstream import exchange

PAGE_SIZE = 50


@dataclass(frozen=True, kw_only=True)
class Record:
    id: int | str
    time: datetime
    level: str
    service: str
    message: str
    instance: str | None = ""
    logger: str | None = ""
    attributes: dict[str, Any] | None = field(default_factory=dict)
    exception: str | None = None


@dataclass(frozen=True, kw_only=True)
class Page:
    records: list[Record]
    # The `before` of the page of older records; None on the last.
    next: int | str | None = None


@dataclass(frozen=True, kw_only=True)
class _Sender:
    service: str


@dataclass(frozen=True, kw_only=True)
class _Senders:
    services: list[_Sender]


def newest(*, service: str = "", level: str = "", text: str = "", before: str = "") -> Page:
    """The records that match, latest first; `level` is the least severe of them.

    Raises UpstreamDown, or Refused for a filter that the log service rejects.
    """
    given = {"service": service, "level": level, "q": text, "before": before}
    return _ask(
        "/v1/records", Page, {name: value for name, value in given.items() if value} | {"limit": str(PAGE_SIZE)}
    )


def services() -> list[str]:
    """Those that have records."""
    return [sender.service for sender in _ask("/v1/services", _Senders).services]


def _ask(path: str, answer: type[exchange.Answer], parameters: dict[str, str] | None = None) -> exchange.Answer:
    question = exchange.Question(service="logsvc", path=path, token=settings.LOGSVC_TOKEN, params=parameters)
    return exchange.ask(question, answer)
