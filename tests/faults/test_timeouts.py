"""A request that ran into its client's timeout is put down to what was at work, and to nothing else."""

import pytest

from tests.faults import timeouts
from tests.faults.history import History, Injected, Shortage, Span, Unanswered
from tests.faults.schedule import Kind
from tests.faults.timeouts import Reason

# The server promises to answer within 4 s: this one should have been answered at 14.
REQUEST = Unanswered(method="PUT", path="/", sent_at=10.0, ended_at=15.0)


def injected(kind: Kind, target: str, since: float, until: float) -> History:
    return History(unanswered=[REQUEST], injected=[Injected(kind=kind, target=target, since=since, until=until)])


@pytest.mark.parametrize(
    ("history", "reason"),
    [
        (injected(Kind.FREEZE, "registry", 8.0, 14.5), Reason.STOPPED),
        # It had four seconds left, and should have answered.
        (injected(Kind.FREEZE, "registry", 8.0, 10.9), Reason.UNKNOWN),
        (injected(Kind.FREEZE, "registry", 14.1, 20.0), Reason.UNKNOWN),
        (injected(Kind.FREEZE, "registry-worker", 8.0, 20.0), Reason.WORKER),
        (injected(Kind.FREEZE, "redis", 8.0, 20.0), Reason.REDIS),
        (injected(Kind.CUT, "database", 14.0, 20.0), Reason.DATABASE),
        (injected(Kind.LOCK, "", 8.0, 11.0), Reason.DATABASE),
        (injected(Kind.LOCK, "", 15.5, 17.0), Reason.UNKNOWN),
        (History(unanswered=[REQUEST], beginnings=[Span(since=12.0, until=14.5)]), Reason.BEGINNING),
        (History(unanswered=[REQUEST], beginnings=[Span(since=12.0, until=12.5)]), Reason.UNKNOWN),
        (History(unanswered=[REQUEST], shortages=[Shortage(at=13.0, seconds=1.2)]), Reason.MACHINE),
        (History(unanswered=[REQUEST], shortages=[Shortage(at=16.0, seconds=1.2)]), Reason.UNKNOWN),
    ],
)
def test_the_reason_is_what_kept_the_server_from_running_and_else_what_was_at_work(
    history: History, reason: Reason
) -> None:
    assert timeouts.reason(REQUEST, history) is reason


def test_the_report_counts_each_reason() -> None:
    history = injected(Kind.FREEZE, "registry", 8.0, 14.5)
    history.unanswered.append(Unanswered(method="PUT", path="/", sent_at=100.0, ended_at=105.0))
    assert timeouts.sentences(history) == [
        "2 requests ran into their client's timeout, 1 of them while nobody could answer:",
        f"  1 while {Reason.STOPPED}",
        f"  1 while {Reason.UNKNOWN}",
    ]
    assert timeouts.sentences(History()) == ["no request ran into its client's timeout"]
