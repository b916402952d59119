"""Query parameters and small bodies, checked."""

from datetime import datetime
from typing import Annotated, Literal, TypeVar

from msgspec import Meta, Struct
from rest_framework.request import Request

from config.tokens.holder import Holder
from registry.discovery import queries
from registry.health.results import Beat
from registry.instances.allowance import Allowance
from registry.models import InstanceKey
from registry.wire.limits import Incarnation, Limit, Reason, Revision, ServiceName
from registry.wire.validation import convert


class JournalPage(Struct, frozen=True, kw_only=True):
    """`service` may be given several times.

    In the order `oldest`, `after` is the last revision that was seen; without it the page begins with the oldest entry.
    In the order `newest`, `before` is the last revision that was seen; without it the page begins with the head.
    """

    service: tuple[ServiceName, ...] = ()
    order: Literal["oldest", "newest"] = "oldest"
    after: Revision | None = None
    before: Revision | None = None
    limit: Limit = 100

    def __post_init__(self) -> None:
        if self.order == "oldest" and self.before is not None:
            raise ValueError("`before` needs `order=newest`; send `after` for the order `oldest`")
        if self.order == "newest" and self.after is not None:
            raise ValueError("`after` needs `order=oldest`; send `before` for the order `newest`")


class HistoryQuery(Struct, frozen=True, kw_only=True):
    """The last `days`, by day or by hour."""

    days: Annotated[int, Meta(ge=1, le=400)] = 90
    by: Literal["day", "hour"] = "day"


class DeregisterQuery(Struct, frozen=True, kw_only=True):
    """The query of a deregistration; with `incarnation` only that run is deregistered."""

    incarnation: Incarnation | None = None


class BeatReport(Struct, frozen=True, kw_only=True):
    status: Literal["passing", "critical"] = "passing"
    reason: Reason = ""


class MaintenanceBody(Struct, frozen=True, kw_only=True):
    until: Annotated[datetime, Meta(tz=True)] | None = None
    reason: Reason = ""


class DrainBody(Struct, frozen=True, kw_only=True):
    seconds: Annotated[float, Meta(ge=0, le=86_400)] = 30.0
    reason: Reason = ""


Body = TypeVar("Body", bound=Struct)


def beat_of(key: InstanceKey, report: BeatReport, *, author: str, holder: Holder) -> Beat:
    return Beat(
        key=key,
        succeeded=report.status == "passing",
        reason=report.reason,
        author=author,
        allowance=Allowance(holder),
    )


def body_of(request: Request, kind: type[Body]) -> Body:
    """The request's body, or the defaults when it is empty. Raises Invalid, which names the wrong member."""
    members = request.data if request.META.get("CONTENT_LENGTH", "0") not in ("", "0") else {}
    return convert(members, kind)


def query_of(request: Request, kind: type[Body]) -> Body:
    """The query parameters as a `kind`. Raises Invalid, which names the wrong one."""
    found: Body = queries.parse(kind, request.META.get("QUERY_STRING", ""))
    return found
