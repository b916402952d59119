"""A short run with a fixed seed, and what was once found by longer ones, on SQLite.

docs/reliability.md names the scenario or the test of each violation that was ever found.
"""

from pathlib import Path

from tests.faults import scripts
from tests.faults.engines import SQLite
from tests.faults.processes import REDIS
from tests.faults.rounds import Run
from tests.faults.running import Round, violations
from tests.faults.schedule import Fault, Kind

SEED = 16
# Redis freezes while a sweep waits for the database: the worker's message was never acknowledged, and it did nothing
# more for good. The database is locked for longer than a client waits; Redis, still frozen, is not needed to write that
# the disk is full, nor when the clock is set.
FROZEN_AMID_A_SWEEP = [
    Fault(kind=Kind.LOCK, at=0.0, seconds=7.0),
    Fault(kind=Kind.FREEZE, target=REDIS, at=2.0, seconds=14.0),
    Fault(kind=Kind.FULL, at=9.0, seconds=2.0),
    Fault(kind=Kind.BACK, at=11.0, seconds=2.0),
]
# Whoever probes, and whoever tells, is stopped as a whole, and then killed: claims ran out late, and the pause was a
# reason to doubt the dead for ever. Meanwhile Redis is killed, and forgets everything.
WORKERS = ((Kind.FREEZE, 0.0, 6.0), (Kind.KILL, 8.0, 0.0))
# An hour ahead for so short a time that nobody may have noted it when the workers are killed: what was claimed or put
# off meanwhile stayed so for the hour.
AHEAD = Fault(kind=Kind.FORWARD, at=4.0, seconds=2.8)
REDIS_LOST = [Fault(kind=Kind.KILL, target=REDIS, at=3.0), Fault(kind=Kind.FLUSH, at=7.0)]


def test_whatever_is_done_to_it_the_registry_keeps_its_promises(tmp_path: Path) -> None:
    def rounds(run: Run) -> list[Round]:
        workers = [name for name in run.possible.processes if name.endswith("worker")]
        stopped_and_killed = [
            Fault(kind=kind, target=target, at=at, seconds=seconds)
            for kind, at, seconds in WORKERS
            for target in workers
        ]
        frozen = [each for each in FROZEN_AMID_A_SWEEP if run.possible.targets(each.kind)]
        ahead = [AHEAD] if run.possible.targets(AHEAD.kind) else []
        return [
            Round(scripts=scripts.FOUND),
            Round(faults=frozen, scripts=[scripts.every_way_to_change]),
            Round(faults=[*stopped_and_killed, *REDIS_LOST, *ahead]),
            Round(faults=run.plan(1, seconds=10.0, longest_seconds=4.0)),
        ]

    assert violations(tmp_path, SQLite(tmp_path / "data"), rounds, seed=SEED) == []
