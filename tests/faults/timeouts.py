"""Tells why requests ran into their client's timeout: what was at work while each waited. Pure.

The server promises an answer within four seconds, and a client here waits for five. So it is the last second that
counts: who was kept from answering in it broke no promise of the server's.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum

from tests.faults.history import History, Injected, Span, Unanswered
from tests.faults.processes import REDIS, SERVER
from tests.faults.schedule import WITHOUT_DATABASE, Kind

# Between the time in which the server promises to answer and the one in which a client here gives up.
LAST_SECONDS = 1.0


class Reason(StrEnum):
    """What kept the server from answering; the first that holds is the reason."""

    STOPPED = "the server was stopped (SIGSTOP), and the kernel took connections for it"
    BEGINNING = "the server began: it had its port, and no answer yet"
    MACHINE = "the machine was short of processors: the server or the harness had to wait for one for a second or more"
    DATABASE = "the database could not be used: the server should have answered 503"
    REDIS = "Redis could not be used: the server should have answered all the same"
    UNKNOWN = "nothing is known that kept the server from answering"


# The server cannot help these. All others are violations.
EXCUSES = (Reason.STOPPED, Reason.BEGINNING, Reason.MACHINE)


def counted(history: History) -> Counter[Reason]:
    return Counter(reason(each, history) for each in history.unanswered)


def reason(request: Unanswered, history: History) -> Reason:
    injected = history.injected
    last = request.ended_at - LAST_SECONDS, request.ended_at
    if _meet(last, (each for each in injected if each.kind is Kind.FREEZE and each.target == SERVER)):
        return Reason.STOPPED
    if _meet(last, history.beginnings):
        return Reason.BEGINNING
    whole = request.sent_at, request.ended_at
    if sum(each.seconds for each in history.shortages if whole[0] < each.at < whole[1]) >= LAST_SECONDS:
        return Reason.MACHINE
    if _meet(whole, (each for each in injected if _is_of_database(each))):
        return Reason.DATABASE
    if _meet(whole, (each for each in injected if each.target == REDIS)):
        return Reason.REDIS
    return Reason.UNKNOWN


def sentences(history: History) -> Sequence[str]:
    """How many requests ran into their timeout, and why."""
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


def _meet(span: tuple[float, float], others: Iterable[Injected | Span]) -> bool:
    return any(each.since < span[1] and each.until > span[0] for each in others)
