"""The end of the journal in memory: its head, when each service last changed, and the requests that wait."""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import chain

from registry.discovery.waiters import Belfry, Bell, Cause

# Older changes are read from the database.
KEPT_CHANGES = 4096
# How long a poll's findings count as fresh.
FRESH_SECONDS = 1.0

EVERY_SERVICE = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeEvent:
    """A journal entry, encoded for the streams of events."""

    revision: int
    service: str
    encoded: bytes


@dataclass(frozen=True, kw_only=True)
class Look:
    """The findings of one poll: the head, and the changes since the last known revision of the same history.

    `events` is None where there were too many, or where the journal does not continue from what was known.
    """

    head: int
    history: str = ""
    touched: dict[str, int] = field(default_factory=dict)
    events: tuple[ChangeEvent, ...] | None = None


class Revisions:
    """Lives on one event loop; times are the loop's."""

    def __init__(self) -> None:
        self.head = -1
        self.history = ""
        # Grows when the journal does not continue from what was known: its history is another one, or its head went
        # back, as after the database was restored from a copy.
        self.epoch = 0
        self._heard = 0
        self._checked_at = float("-inf")
        # A service that is not in `_last_changes` has not changed since this revision.
        self._floor = 0
        self._last_changes: dict[str, int] = {}
        self._events: deque[ChangeEvent] = deque(maxlen=KEPT_CHANGES)
        self._events_after = 0
        self._waiting: Belfry[str | None] = Belfry()

    def is_fresh(self, *, now: float) -> bool:
        """Whether the head is what the database held within the last second, and nothing newer was heard of."""
        return self.head >= self._heard and now - self._checked_at < FRESH_SECONDS

    def hear(self, revision: int) -> None:
        """Note an announcement that the journal has reached `revision`: nothing is fresh until the next poll."""
        self._heard = max(self._heard, revision)

    def grow(self, look: Look) -> None:
        """Apply what a commit of this process has appended right behind the known head, without a poll."""
        self.advance(look, looked_at=self._checked_at, is_last=False)

    def confirm(self, *, looked_at: float, is_last: bool = True) -> None:
        """Note that a poll which began at `looked_at` found nothing that is not known."""
        self._checked_at = looked_at
        if is_last:
            self._heard = self.head

    def advance(self, look: Look, *, looked_at: float, is_last: bool = True) -> None:
        """Apply the findings of a poll that began at `looked_at`, and wake those who waited.

        Unless it `is_last`, another follows, which is to find what was heard of meanwhile.
        """
        self._checked_at = looked_at
        self._heard = look.head if is_last else max(self._heard, look.head)
        if (look.history, look.head) == (self.history, self.head):
            return
        is_continuous = look.history == self.history and 0 <= self.head < look.head
        self.epoch += not is_continuous
        if is_continuous:
            self._last_changes |= look.touched
        else:
            self._floor, self._last_changes = look.head, {}
        if is_continuous and look.events is not None:
            self._events.extend(look.events)
            if len(self._events) == KEPT_CHANGES:
                self._events_after = self._events[0].revision - 1
        else:
            self._events.clear()
            self._events_after = look.head
        self.history, self.head = look.history, look.head
        for key in chain(look.touched, [EVERY_SERVICE]) if is_continuous else self.awaited():
            self._waiting.ring(key, Cause.CHANGED)

    def last_change(self, services: Collection[str] | None) -> int:
        """The newest known revision at which any of these services changed; never too low."""
        if services is EVERY_SERVICE:
            return self.head
        floor, last_changes = self._floor, self._last_changes
        return max([floor, *[last_changes.get(service, floor) for service in services]])

    def events_after(self, revision: int, services: Collection[str] = ()) -> list[ChangeEvent] | None:
        """The changes since, of these services or of all; None when they reach further back than the window."""
        if revision < self._events_after:
            return None
        found: list[ChangeEvent] = []
        for event in reversed(self._events):
            if event.revision <= revision:
                break
            if not services or event.service in services:
                found.append(event)
        return found[::-1]

    def wait(self, bell: Bell, services: Collection[str] | None) -> None:
        """Ring the bell at the next change of one of the services."""
        self._waiting.hang(bell, _keys(services))

    def forget(self, bell: Bell, services: Collection[str] | None) -> None:
        self._waiting.take_down(bell, _keys(services))

    def awaited(self) -> list[str | None]:
        """The services that requests wait for; EVERY_SERVICE stands for a wait for any."""
        return self._waiting.keys()


def _keys(services: Collection[str] | None) -> Collection[str | None]:
    return [EVERY_SERVICE] if services is EVERY_SERVICE else services
