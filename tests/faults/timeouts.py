"""Tells why requests ran into their client's timeout: what was at work while each waited. Pure.

The server promises an answer within four seconds, and a client here waits for five. So a server that was kept from
running for a second of them broke no promise, and one that ran for four did.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum

from tests.faults.history import History, Injected, Span, Unanswered
from tests.faults.processes import REDIS, SERVER
from tests.faults.schedule import WITHOUT_DATABASE, Kind

# What a client here waits for longer than the server takes.
SPARE_SECONDS = 1.0


class Reason(StrEnum):
    """A reason for which a request was not answered."""

    STOPPED = "the server was stopped (SIGSTOP), and the kernel took connections for it"
    BEGINNING = "the server began: it had its port, and no answer yet"
    MACHINE = "the machine was short of processors: the server or the harness had to wait for one for a second or more"
    DATABASE = "the database could not be used: the server should have answered 503"
    REDIS = "Redis could not be used: the server should have answered all the same"
    WORKER = "another process of the registry's was stopped: the server should have answered all the same"
    UNKNOWN = "nothing is known that kept the server from answering"


# The server cannot help these. All others are violations.
EXCUSES = (Reason.STOPPED, Reason.BEGINNING, Reason.MACHINE)


def counted(history: History) -> Counter[Reason]:
    return Counter(reason(each, history) for each in history.unanswered)


def reason(request: Unanswered, history: History) -> Reason:
    whole = Span(since=request.sent_at, until=request.ended_at)
    stops = [each for each in history.injected if each.kind is Kind.FREEZE and each.target == SERVER]
    lost_seconds = {
        Reason.STOPPED: _overlap(whole, stops),
        Reason.BEGINNING: _overlap(whole, history.beginnings),
        Reason.MACHINE: sum(each.seconds for each in history.shortages if whole.since < each.at < whole.until),
    }
    if sum(lost_seconds.values()) >= SPARE_SECONDS:
        return max(lost_seconds, key=lost_seconds.__getitem__)
    others = [each for each in history.injected if _overlap(whole, [each])]
    if any(_is_of_database(each) for each in others):
        return Reason.DATABASE
    if any(each.target == REDIS for each in others):
        return Reason.REDIS
    if any(each.kind is Kind.FREEZE and each.target != SERVER for each in others):
        return Reason.WORKER
    return Reason.UNKNOWN


def sentences(history: History) -> Sequence[str]:
    """The report: the requests that ran into their timeout, counted by reason."""
    found = counted(history)
    if not history.unanswered:
        return ["no request ran into its client's timeout"]
    excused = sum(found[each] for each in EXCUSES)
    return [
        f"{found.total()} requests ran into their client's timeout, {excused} of them while nobody could answer:",
        *(f"  {found[each]} while {each}" for each in Reason if found[each]),
    ]


def _is_of_database(each: Injected) -> bool:
    return each.kind in WITHOUT_DATABASE or (each.kind is Kind.CUT and each.target == "database")


def _overlap(span: Span, others: Iterable[Injected | Span]) -> float:
    return sum(max(0.0, min(span.until, each.until) - max(span.since, each.since)) for each in others)
