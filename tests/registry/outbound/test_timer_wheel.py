"""Deadlines come, none early, in their order."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import cast

import pytest

from registry.outbound.timer_wheel import TICK_SECONDS, Wheel

pytestmark = pytest.mark.anyio


class Deadline:
    def __init__(self, wheel: Wheel, *, after: float) -> None:
        self.tick = 0
        self.wheel = wheel
        self.at = perf_counter() + after
        self.expired: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        wheel.add(self, self.at)

    def expire(self, now: float) -> None:
        self.expired.set_result(now)


@dataclass
class Handle:
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


class Recorder:
    """An event loop that keeps what it is asked to call later."""

    def __init__(self) -> None:
        self.asked: list[tuple[float, Handle]] = []

    def call_later(self, seconds: float, call: Callable[[], None]) -> Handle:
        self.asked.append((seconds, Handle()))
        return self.asked[-1][1]


async def a_few_ticks() -> None:
    """A few ticks, as another wheel of the same loop counts them."""
    await Deadline(Wheel(asyncio.get_running_loop()), after=3 * TICK_SECONDS).expired


@pytest.fixture
async def wheel() -> Wheel:
    return Wheel(asyncio.get_running_loop())


async def test_a_deadline_is_told_when_it_has_passed(wheel: Wheel) -> None:
    for after in (0, 0.01, 0.05):
        deadline = Deadline(wheel, after=after)
        assert await deadline.expired >= deadline.at


async def test_a_deadline_that_has_long_passed_is_told_too(wheel: Wheel) -> None:
    later = Deadline(wheel, after=60)
    deadline = Deadline(wheel, after=-100)
    await deadline.expired
    assert not later.expired.done()
    wheel.stop()


async def test_deadlines_are_told_in_order(wheel: Wheel) -> None:
    told: list[Deadline] = []
    late, early = Deadline(wheel, after=3 * TICK_SECONDS), Deadline(wheel, after=0)
    late.expired.add_done_callback(lambda _: told.append(late))
    early.expired.add_done_callback(lambda _: told.append(early))
    await late.expired
    assert told == [early, late]


async def test_a_removed_deadline_is_not_told(wheel: Wheel) -> None:
    removed, other = Deadline(wheel, after=0), Deadline(wheel, after=0)
    wheel.remove(removed)
    wheel.remove(removed)
    await other.expired
    assert not removed.expired.done()


async def test_a_deadline_can_be_set_again_when_it_is_told(wheel: Wheel) -> None:
    class Repeating(Deadline):
        def expire(self, now: float) -> None:
            if now < self.at + 0.05:
                self.wheel.add(self, now)
            else:
                super().expire(now)

    await Repeating(wheel, after=0).expired


async def test_a_wheel_that_has_come_to_rest_begins_anew(wheel: Wheel) -> None:
    await Deadline(wheel, after=0).expired
    await a_few_ticks()
    deadline = Deadline(wheel, after=0.01)
    assert await deadline.expired >= deadline.at


async def test_a_stopped_wheel_tells_nothing(wheel: Wheel) -> None:
    deadline = Deadline(wheel, after=0)
    wheel.stop()
    await a_few_ticks()
    assert not deadline.expired.done()


async def test_nobody_is_woken_before_the_next_deadline() -> None:
    loop = Recorder()
    wheel = Wheel(cast("asyncio.AbstractEventLoop", loop))
    began = perf_counter()
    Deadline(wheel, after=0.5)
    # Meanwhile nothing else is due; what is due earlier is waited for instead.
    Deadline(wheel, after=0.8)
    Deadline(wheel, after=0.2)
    elapsed = perf_counter() - began
    for (seconds, _), after in zip(loop.asked, (0.5, 0.2), strict=True):
        assert after - elapsed <= seconds <= after + 2 * TICK_SECONDS
    assert [handle.cancelled for _, handle in loop.asked] == [True, False]
