import threading
from pathlib import Path

import pytest

from config import liveness
from config.liveness import STALL_SECONDS, TASK_STALL_SECONDS, Pulse
from tests.clock import Clock
from tests.waiting import PATIENCE_SECONDS


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_without_progress_it_stalls_and_with_it_it_does_not(clock: Clock) -> None:
    pulse = Pulse(clock)
    clock.now += STALL_SECONDS
    assert not pulse.stalled_seconds
    clock.now += 1
    assert pulse.stalled_seconds == STALL_SECONDS + 1
    pulse.beat()
    assert not pulse.stalled_seconds


def test_a_task_may_take_longer(clock: Clock) -> None:
    pulse = Pulse(clock)
    pulse.beat(limit_seconds=TASK_STALL_SECONDS)
    clock.now += TASK_STALL_SECONDS
    assert not pulse.stalled_seconds
    pulse.beat(limit_seconds=STALL_SECONDS)
    clock.now += STALL_SECONDS + 1
    assert pulse.stalled_seconds


def test_a_process_that_stalls_is_ended(clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(liveness, "LOOK_SECONDS", 0.001)
    pulse, ended = Pulse(clock), threading.Event()
    pulse.watch(tmp_path / "worker.alive", end=ended.set)
    assert (tmp_path / "worker.alive").exists()
    assert not ended.is_set()
    clock.now += STALL_SECONDS + 1
    assert ended.wait(PATIENCE_SECONDS)


def test_the_sign_of_life_is_renewed_once_a_second_at_most(clock: Clock, tmp_path: Path) -> None:
    file = tmp_path / "worker.alive"
    pulse = Pulse(clock)
    pulse.watch(file, end=lambda: None)
    file.unlink()
    pulse.beat()
    assert not file.exists()
    clock.now += 1
    pulse.beat()
    assert file.exists()


def test_a_sign_that_cannot_be_written_ends_nothing(clock: Clock, tmp_path: Path) -> None:
    pulse = Pulse(clock)
    pulse.watch(tmp_path / "missing" / "worker.alive", end=lambda: None)
    pulse.beat()
