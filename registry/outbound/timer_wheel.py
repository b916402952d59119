"""Timeouts for tens of thousands of exchanges with one timer of the event loop.

A timer of the loop's own costs a heap entry to set and another to cancel, several times an exchange. Here a deadline
is an entry in the slot of its tick: added and removed in constant time, and up to a tick late. Ticks without a deadline
wake nobody.
"""

import asyncio
from time import perf_counter
from typing import Protocol

TICK_SECONDS = 0.02
_TICKS_PER_SECOND = 1 / TICK_SECONDS
# How many are looked through for the next deadline.
_MOST_TICKS = 50
# A tick later than this means that the loop was held up and answers may be unread.
_LATE_SECONDS = 0.2


class Timed(Protocol):
    tick: int

    def expire(self, now: float) -> None: ...


class Timers(Protocol):
    """Calls `expire` in time; at most one deadline for each object."""

    loop: asyncio.AbstractEventLoop

    def add(self, timed: Timed, at: float) -> None: ...

    def remove(self, timed: Timed) -> None: ...

    def stop(self) -> None: ...


class Wheel:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._slots: dict[int, dict[Timed, None]] = {}
        self._next_tick = 0
        # The tick that `_handle` is for.
        self._turn_tick = 0
        self._handle: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._has_waited = False

    def add(self, timed: Timed, at: float) -> None:
        """Calls `timed.expire` once `at`, a reading of `perf_counter`, has passed."""
        if self._handle is None:
            self._next_tick = int(perf_counter() * _TICKS_PER_SECOND)
        tick = int(at * _TICKS_PER_SECOND) + 1
        if tick < self._next_tick:
            tick = self._next_tick
        timed.tick = tick
        slot = self._slots.get(tick)
        if slot is None:
            self._slots[tick] = {timed: None}
        else:
            slot[timed] = None
        if self._handle is None:
            self._schedule(tick)
        elif tick < self._turn_tick:
            self._handle.cancel()
            self._schedule(tick)

    def remove(self, timed: Timed) -> None:
        slot = self._slots.get(timed.tick)
        if slot is not None:
            slot.pop(timed, None)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self._slots.clear()

    def _schedule(self, tick: int) -> None:
        """Turn once this tick has passed, or the last of those that are looked through."""
        now = perf_counter()
        current = int(now * _TICKS_PER_SECOND)
        ticks = min(max(tick - current, 1), _MOST_TICKS)
        self._turn_tick = current + ticks
        self._due = now + ticks * TICK_SECONDS
        self._handle = self.loop.call_later(ticks * TICK_SECONDS, self._turn)

    def _turn(self) -> None:
        now = perf_counter()
        if now - self._due > _LATE_SECONDS and not self._has_waited:
            # libuv runs timers before it reads sockets: without a turn for those first, every answer that came in
            # while the process was held up would be taken for a timeout.
            self._has_waited = True
            self._schedule(self._next_tick)
            return
        self._has_waited = False
        first_tick, self._next_tick = self._next_tick, int(now * _TICKS_PER_SECOND) + 1
        for tick in range(first_tick, self._next_tick):
            for timed in self._slots.pop(tick, ()):
                timed.expire(now)
        if self._slots:
            tick, last_tick = self._next_tick, self._next_tick + _MOST_TICKS
            while tick < last_tick and not self._slots.get(tick):
                tick += 1
            self._schedule(tick)
        else:
            self._handle = None
