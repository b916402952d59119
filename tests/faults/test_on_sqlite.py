"""A short run with a fixed seed, and what was once found by longer ones, on SQLite."""

from pathlib import Path

from tests.faults.engines import SQLite
from tests.faults.rounds import Run
from tests.faults.running import violations
from tests.faults.schedule import Fault, Kind

SEED = 16
# Redis freezes while a sweep waits for the database: the worker's message was never acknowledged, and it did nothing
# more for good.
FROZEN_AMID_A_SWEEP = [
    Fault(kind=Kind.LOCK, at=0.0, seconds=4.0),
    Fault(kind=Kind.FREEZE, target="redis", at=2.0, seconds=14.0),
]
# Whoever probes, and whoever tells, is stopped as a whole, and then killed: claims ran out late, and the pause was a
# reason to doubt the dead for ever.
WORKERS = ((Kind.FREEZE, 0.0, 6.0), (Kind.KILL, 8.0, 0.0))


def test_whatever_is_done_to_it_the_registry_keeps_its_promises(tmp_path: Path) -> None:
    def rounds(run: Run) -> list[list[Fault]]:
        workers = [name for name in run.possible.processes if name.endswith("worker")]
        stopped_and_killed = [
            Fault(kind=kind, target=target, at=at, seconds=seconds)
            for kind, at, seconds in WORKERS
            for target in workers
        ]
        return [FROZEN_AMID_A_SWEEP, stopped_and_killed, run.plan(1, seconds=10.0, longest_seconds=4.0)]

    assert violations(tmp_path, SQLite(tmp_path / "data"), rounds, seed=SEED) == []
