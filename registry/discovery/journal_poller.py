"""Polls the database for changes: twice a second, and at once when a change is announced."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from functools import partial
from typing import Any

import msgspec
import redis.asyncio
from django.conf import settings

from config.tokens import issuing
from config.tokens.issuing import Holder
from registry import wakeups
from registry.discovery.journal_window import ChangeEvent, Look, Revisions
from registry.discovery.token_cache import Holders
from registry.journal import log
from registry.journal.log import Position
from registry.wakeups import Growth
from registry.wire.bodies import JournalRow, journal_entry

# Twice within what counts as fresh, so that one slow look makes nothing stale.
LOOK_SECONDS = 0.5
MOST_EVENTS = 1000
# Entries of one commit that are encoded on the event loop.
MOST_HEARD = 100
# Announcements of this process that may still be heard of.
MOST_OWN = 100

logger = logging.getLogger(__name__)

Run = Callable[[Callable[[], Any]], Awaitable[Any]]


class Watcher:
    """Keeps `revisions` and `holders` in step with the database."""

    def __init__(self, revisions: Revisions, holders: Holders, run: Run) -> None:
        self._revisions = revisions
        self._holders = holders
        self._run = run
        self._loop = asyncio.get_running_loop()
        self._current: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._end_listening: Callable[[], None] | None = None
        # The newest revisions that this process has announced.
        self._own: deque[bytes] = deque(maxlen=MOST_OWN)

    def start(self) -> None:
        self._end_listening = wakeups.listen(self.hear_in_loop)
        self._tasks = [self._loop.create_task(self._look_regularly()), self._loop.create_task(self._subscribe())]

    def stop(self) -> None:
        if self._end_listening is not None:
            self._end_listening()
            self._end_listening = None
        for task in self._tasks:
            task.cancel()

    async def look(self) -> None:
        """Poll once, beginning after this call; concurrent callers share one poll."""
        await asyncio.shield(self.look_soon())

    async def _look_after(self, previous: "asyncio.Task[None] | None") -> None:
        if previous is not None:
            await asyncio.wait({previous})
        self._current, self._next = self._next, None
        now = self._loop.time()
        digests = self._holders.due(now=now)
        known = Position(self._revisions.history, self._revisions.head)
        look, found = await self._run(partial(_look, known, digests))
        head, is_last = self._revisions.head, self._next is None
        if look.history == self._revisions.history and known.revision <= look.head <= head:
            # The announcements heard meanwhile are newer than the findings.
            self._revisions.confirm(looked_at=now, is_last=is_last)
        else:
            events = look.events and tuple(event for event in look.events if event.revision > head)
            self._revisions.advance(replace(look, events=events), looked_at=now, is_last=is_last)
        self._holders.refresh(found, digests, looked_at=now)

    def hear_in_loop(self, revision: int, growth: Growth | None) -> None:
        """Called in the thread that committed, before it answers, so that its client reads its own write."""
        try:
            self._loop.call_soon_threadsafe(self._hear, revision, growth)
        except RuntimeError:
            # The loop was closed meanwhile: there are no readers any more.
            return

    def _hear(self, revision: int, growth: Growth | None) -> None:
        """Know what this process has committed without a poll, where nothing lies between; else poll."""
        self._own.append(b"%d" % revision)
        known = Position(self._revisions.history, self._revisions.head)
        if (
            growth is not None
            and len(growth.entries) <= MOST_HEARD
            and Position(growth.history, growth.entries[0].revision - 1) == known
        ):
            events = tuple(map(encode, growth.entries))
            touched = {event.service: event.revision for event in events}
            self._revisions.grow(Look(history=growth.history, head=revision, touched=touched, events=events))
        else:
            self._revisions.hear(revision)
            self.look_soon()

    def look_soon(self) -> "asyncio.Task[None]":
        """The next poll, which has not begun."""
        if self._next is None:
            self._next = self._loop.create_task(self._look_after(self._current))
            # The error is raised where the task is awaited, which may be nowhere.
            self._next.add_done_callback(_take_failure)
        return self._next

    async def _look_regularly(self) -> None:
        was_away = False
        while True:
            try:
                await self.look()
                was_away = False
            except Exception as error:
                if not was_away:
                    logger.warning("The journal cannot be read, so nothing is answered from memory: %s", error)
                was_away = True
            await asyncio.sleep(LOOK_SECONDS)

    async def _subscribe(self) -> None:
        while True:
            try:
                async with redis.asyncio.Redis.from_url(settings.REDIS_URL) as client, client.pubsub() as subscription:
                    await subscription.subscribe(wakeups.REVISIONS_CHANNEL)
                    async for message in subscription.listen():
                        # Only a hint: several registries may share one Redis.
                        if message["data"] not in self._own:
                            self.look_soon()
            except (redis.RedisError, OSError):
                # Logged where changes are announced; meanwhile the regular polls suffice.
                await asyncio.sleep(wakeups.RETRY_SECONDS)


def encode(entry: JournalRow) -> ChangeEvent:
    """A journal entry as a server-sent event."""
    data = msgspec.json.encode(journal_entry(entry))
    encoded = b"id: %d\nevent: change\ndata: %b\n\n" % (entry.revision, data)
    return ChangeEvent(revision=entry.revision, service=entry.service, encoded=encoded)


def _look(known: Position, digests: Collection[str]) -> tuple[Look, dict[str, Holder]]:
    holders = issuing.holders(digests) if digests else {}
    history, head = log.position()
    if history != known.history or not 0 <= known.revision < head:
        return Look(history=history, head=head), holders
    if head - known.revision > MOST_EVENTS:
        touched = log.touched(after=known.revision, up_to=head)
        return Look(history=history, head=head, touched=touched), holders
    # Entries committed after the head was read are left to the next poll.
    entries = log.page(after=known.revision, limit=head - known.revision)
    events = [encode(each) for each in entries if each.revision <= head]
    touched = {event.service: event.revision for event in events}
    return Look(history=history, head=head, touched=touched, events=tuple(events)), holders


def _take_failure(task: "asyncio.Task[None]") -> None:
    if not task.cancelled():
        task.exception()
