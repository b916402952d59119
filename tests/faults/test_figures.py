from tests.faults import figures
from tests.faults.history import Death, Entry, History, Injected
from tests.faults.schedule import HOUR_SECONDS, Kind

NOW = 1_764_000_000.0
KEY = ("s00", "s00-0")


def fell(at: float, revision: int) -> Entry:
    return Entry(revision=revision, at=at, change="critical", key=KEY)


def test_an_entry_of_a_clock_that_was_ahead_is_not_when_a_later_death_was_seen() -> None:
    ahead = Injected(kind=Kind.FORWARD, target="", since=NOW, until=NOW + 3)
    history = History(
        injected=[ahead],
        journal=[fell(NOW + 1 + HOUR_SECONDS, 1), fell(NOW + 60.5, 2)],
        deaths=[Death(key=KEY, at=NOW + 60, until=None)],
    )

    assert figures.detection(history).calm == [0.5]
