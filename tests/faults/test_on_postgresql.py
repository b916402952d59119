"""Scenarios that longer runs once found, on PostgreSQL."""

from pathlib import Path

from tests.faults import scripts
from tests.faults.engines import PostgreSQL
from tests.faults.running import Round, violations
from tests.faults.schedule import Fault, Kind

# All connections are dropped without a word: every process waited for its answer for ever.
DROPPED = [Fault(kind=Kind.CUT, target="database", at=0.0, seconds=8.0)]
# Locked for longer than a client waits: registrations that nobody waited for any more were stored all the same, so that
# none was stored in time; and a revision that could not be read after the change was a 500.
LOCKED_AND_RESTARTED = [
    Fault(kind=Kind.LOCK, at=0.0, seconds=6.0),
    Fault(kind=Kind.RESTART_DATABASE, at=7.0),
    Fault(kind=Kind.FREEZE, target="registry", at=9.0, seconds=3.0),
]


def test_whatever_is_done_to_its_database_the_registry_keeps_its_promises(tmp_path: Path) -> None:
    rounds = [Round(faults=DROPPED), Round(faults=LOCKED_AND_RESTARTED, scripts=[scripts.every_way_to_change])]
    assert violations(tmp_path, PostgreSQL(), lambda run: rounds, seed=16) == []
