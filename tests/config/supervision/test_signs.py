import os
from pathlib import Path

import pytest

from config.liveness import UNSEEN_SECONDS
from config.services import SERVICES
from config.supervision.programs import WORK, Program
from config.supervision.signs import Signs
from config.supervision.supervisor import State

WORKER = Program(name="worker", group=WORK, command=("true",), service=SERVICES["registry"])


class Watch:
    """A supervisor that looks at one worker every half minute."""

    def __init__(self, directory: Path) -> None:
        self.now = 0.0
        self.file = directory / "worker.alive"
        self.signs = Signs(directory, lambda: self.now)

    def look(self, *, pid: int = 1, touched_ns: int | None = None, seconds: float = 30) -> bool:
        if touched_ns is not None:
            self.file.touch()
            os.utime(self.file, ns=(touched_ns, touched_ns))
        lost = self.signs.lost([WORKER], {"worker": State(name="RUNNING" if pid else "EXITED", pid=pid)})
        self.now += seconds
        return lost == [WORKER]


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    return Watch(tmp_path)


def test_a_process_that_shows_itself_is_alive_whatever_its_clock_says(watch: Watch) -> None:
    assert not any(watch.look(touched_ns=(40 - look) * 10**12) for look in range(40))


def test_one_that_stops_showing_itself_is_lost_after_its_time_and_not_at_each_look(watch: Watch) -> None:
    looks = int(UNSEEN_SECONDS / 30)
    assert [watch.look(touched_ns=1) for _ in range(looks + 2)] == [False] * looks + [True, False]


def test_one_that_was_started_anew_has_its_whole_time(watch: Watch) -> None:
    looks = int(UNSEEN_SECONDS / 30)
    assert not any(watch.look(pid=1) for _ in range(looks))
    assert not any(watch.look(pid=2) for _ in range(looks))


def test_one_that_does_not_run_is_not_lost(watch: Watch) -> None:
    assert not any(watch.look(pid=0) for _ in range(100))
