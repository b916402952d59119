"""Questions about what is kept."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from logsvc.levels import Level
from logsvc.models import Record

DEFAULT_LIMIT = 100
HIGHEST_LIMIT = 1000


@dataclass(frozen=True, kw_only=True)
class Question:
    """Which records are wanted; None and "" want all.

    `level` is the lowest severity, `text` must occur in the message or the exception (in any case), `since` is
    inclusive and `until` exclusive, and only records with an id below `before` are given.
    """

    service: str = ""
    level: int | None = None
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    limit: int = DEFAULT_LIMIT


@dataclass(frozen=True, kw_only=True)
class Page:
    records: list[Record]
    # The `before` of the page of older records; None on the last.
    next: int | None


@dataclass(frozen=True, kw_only=True)
class Sender:
    service: str
    records: int


def newest(question: Question) -> Page:
    """The records that match, latest arrival first.

    By arrival rather than by their own time, because an id that was passed can then never turn up again: whoever
    follows `next` sees every record once, also while others arrive.
    """
    found = list(_matching(question).order_by("-id")[: question.limit + 1])
    records = found[: question.limit]
    return Page(records=records, next=records[-1].pk if len(found) > question.limit else None)


def senders() -> list[Sender]:
    """Every service that has records, by name."""
    counted = Record.objects.values("service").annotate(records=Count("id")).order_by("service")
    return [Sender(**row) for row in counted]


def _matching(question: Question) -> QuerySet[Record]:
    records = Record.objects.all()
    if question.service:
        records = records.filter(service=question.service)
    if question.level is not None:
        records = records.filter(_at_least(question.level))
    if question.text:
        records = records.filter(Q(message__icontains=question.text) | Q(exception__icontains=question.text))
    if question.since is not None:
        records = records.filter(time__gte=question.since)
    if question.until is not None:
        records = records.filter(time__lt=question.until)
    if question.before is not None:
        records = records.filter(pk__lt=question.before)
    return records


def _at_least(level: int) -> Q:
    # Said twice from WARNING on, for the planner: the index of alarming records holds for exactly this condition.
    alarming = Q(level__gte=Level.WARNING) if level > Level.WARNING else Q()
    return alarming & Q(level__gte=level)
