import queue
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from config import env
from registry.outbound.pipeline import Pipeline
from tests.waiting import PATIENCE_SECONDS, until

Groups = queue.SimpleQueue[list[int]]


@pytest.fixture
def groups() -> Groups:
    return queue.SimpleQueue()


class Performer:
    """Raises at the start of what is negative, and at the end of what is a thousand or more."""

    def start(self, job: int, on_outcome: Callable[[int], None]) -> None:
        if job < 0:
            raise ValueError(job)
        on_outcome(job)

    def conclude(self, job: int, outcome: int) -> int:
        if job >= 1000:
            raise ValueError(job)
        return outcome

    async def close(self) -> None:
        """Nothing stays under way."""


def pipeline(
    groups: Groups,
    *,
    performer: Callable[[], Performer] = Performer,
    name: str = "test",
    linger_seconds: float = 0.0,
    urgent: int | None = None,
) -> Pipeline[int, int, int]:
    return Pipeline(
        performer,
        groups.put,
        name=name,
        capacity=100,
        linger_seconds=linger_seconds,
        is_urgent=lambda result: result == urgent,
    )


def test_every_job_is_performed_and_its_result_written_once(groups: Groups) -> None:
    running = pipeline(groups)
    running.submit(range(50))

    assert running.drain(PATIENCE_SECONDS)
    written = [result for _ in range(groups.qsize()) for result in groups.get()]
    assert sorted(written) == list(range(50))
    assert running.room == 100


def test_a_job_that_raises_frees_its_place_and_hinders_no_other(groups: Groups) -> None:
    running = pipeline(groups)
    running.submit([-1, 1000, 1])

    assert running.drain(PATIENCE_SECONDS)
    assert groups.get(timeout=PATIENCE_SECONDS) == [1]


def test_what_is_not_urgent_waits_for_others_until_one_is(groups: Groups) -> None:
    running = pipeline(groups, linger_seconds=60, urgent=7)
    running.submit([1])
    running.submit([2])
    assert not running.drain(0.05)
    running.submit([7])

    assert sorted(groups.get(timeout=PATIENCE_SECONDS)) == [1, 2, 7]


class Counting(Performer):
    """Says when the results of so many jobs are there."""

    def __init__(self, count: int) -> None:
        self._left = count
        self.are_there = threading.Event()

    def start(self, job: int, on_outcome: Callable[[int], None]) -> None:
        super().start(job, on_outcome)
        self._left -= 1
        if not self._left:
            self.are_there.set()


class Unending(Performer):
    """Performs until it is closed, and then concludes all that was under way."""

    def __init__(self) -> None:
        self._under_way: list[Callable[[], None]] = []

    def start(self, job: int, on_outcome: Callable[[int], None]) -> None:
        self._under_way.append(lambda: on_outcome(job))

    async def close(self) -> None:
        for conclude in self._under_way:
            conclude()


def test_a_stop_writes_what_is_there_and_drops_what_is_under_way(groups: Groups) -> None:
    performer = Counting(2)
    running = pipeline(groups, performer=lambda: performer, name="stopped", linger_seconds=60)
    running.submit([1, 2])
    assert performer.are_there.wait(PATIENCE_SECONDS)
    assert groups.empty()
    running.stop()
    assert groups.get(timeout=PATIENCE_SECONDS) == [1, 2]

    ending = Pipeline(Unending, groups.put, name="stopped", capacity=100)
    ending.submit([3])
    ending.stop()
    until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("stopped-")])
    assert groups.empty()


# However slow the preparation is, and so also when the end comes in the middle of it.
ENDING = """
import atexit, threading, time

# Registered before the pipeline's, and so run after it.
atexit.register(lambda: print(sorted(thread.name for thread in threading.enumerate() if "loop" in thread.name)))

from registry.outbound.pipeline import Pipeline

class Idle:
    def __init__(self):
        time.sleep({preparing_seconds})

    async def close(self):
        pass

Pipeline(Idle, print, name="probes", capacity=1)
print(sorted(thread.name for thread in threading.enumerate() if "loop" in thread.name))
"""


@pytest.mark.parametrize("preparing_seconds", [0, 0.2])
def test_its_event_loop_ends_before_the_interpreter_does(preparing_seconds: float) -> None:
    command = [sys.executable, "-c", ENDING.format(preparing_seconds=preparing_seconds)]
    ended = subprocess.run(command, cwd=env.BASE_DIR, capture_output=True, text=True, timeout=120, check=False)

    assert (ended.returncode, ended.stdout) == (0, "['probes-loop']\n[]\n"), ended.stderr
