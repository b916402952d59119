"""Timers that a test turns by hand: however long is waited for, the test does not."""

import asyncio

from registry.outbound.client import Exchange
from registry.outbound.timer_wheel import Timed


class HandWheel:
    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._deadlines: dict[Timed, float] = {}

    def add(self, timed: Timed, at: float) -> None:
        timed.tick = 1
        self._deadlines[timed] = at

    def remove(self, timed: Timed) -> None:
        self._deadlines.pop(timed, None)

    def stop(self) -> None:
        self._deadlines.clear()

    def turn(self) -> float:
        """Let the next deadline pass; returns how many seconds after the start of its exchange it was to come."""
        timed = min(self._deadlines, key=self._deadlines.__getitem__)
        assert isinstance(timed, Exchange)
        at = self._deadlines.pop(timed)
        after_seconds = at - timed.started
        timed.expire(at)
        return after_seconds
