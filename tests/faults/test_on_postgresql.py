"""Scenarios that longer runs once found, on PostgreSQL."""

from pathlib import Path

from tests.faults.engines import PostgreSQL
from tests.faults.running import violations
from tests.faults.schedule import Fault, Kind

# All connections are dropped without a word: every process waited for its answer for ever.
DROPPED = [Fault(kind=Kind.CUT, target="database", at=0.0, seconds=8.0)]
RESTARTED = [
    Fault(kind=Kind.RESTART_DATABASE, at=0.0),
    Fault(kind=Kind.FREEZE, target="registry", at=2.0, seconds=3.0),
]


def test_whatever_is_done_to_its_database_the_registry_keeps_its_promises(tmp_path: Path) -> None:
    assert violations(tmp_path, PostgreSQL(), lambda run: [DROPPED, RESTARTED], seed=16) == []
