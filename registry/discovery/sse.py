"""Server-sent events: every change of some services or of all, resumable by revision."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from functools import partial
from typing import Any

import msgspec

from config.exchange import disconnected
from config.problems import Unauthenticated
from config.threads import Abandoned
from registry.discovery import documents
from registry.discovery.journal_poller import encode
from registry.discovery.journal_window import EVERY_SERVICE
from registry.discovery.reader import Reader
from registry.discovery.waiters import Bell, Cause
from registry.journal import log
from registry.journal.log import Shown

HEARTBEAT_SECONDS = 15.0
# A client that reads nothing for this long is cut off.
SEND_SECONDS = 30.0
EVENTS_PER_READ = 500
# What all streams of one token are sent a second once they are many; each then waits, and gets together what came.
SENDS_PER_SECOND = 1000
MANY_STREAMS = 100
RETRY = b"retry: 1000\n\n"


class Stream:
    """One client's stream, sent by `send`, which returns when the server's buffer has taken the chunk.

    Only a place in the journal is kept for a client, so that a slow one costs no memory.
    """

    def __init__(
        self,
        reader: Reader,
        send: Callable[[bytes], Awaitable[None]],
        *,
        services: Collection[str],
        header: str,
        together: Callable[[], int] = lambda: 1,
    ) -> None:
        """`together` counts the streams that the token holds now."""
        self._reader = reader
        self._send = send
        self._services = frozenset(services)
        self._header = header
        self._together = together
        self._turn = reader.turn(header)
        self._bell = Bell()
        self._at = 0
        self._sent = 0
        self._epoch = reader.revisions.epoch
        self._has_caught_up = False

    async def follow(self, *, after: int | None, receive: Callable[[], Any]) -> None:
        """Send events until the client is gone, too slow, or no longer allowed; without `after` from now on."""
        gone = asyncio.create_task(disconnected(receive))
        gone.add_done_callback(lambda _: self._bell.ring(Cause.CLIENT_GONE))
        try:
            self._at = self._reader.revisions.head if after is None else after
            reason = None if after is None else await self._reason_to_resync(after)
            if reason is None:
                await self._take(RETRY + _event("revision", self._at))
            else:
                await self._resync(reason)
            while not gone.done():
                before = self._sent
                cause = await self._catch_up(gone)
                if cause is None and self._sent > before and (together := self._together()) > MANY_STREAMS:
                    await asyncio.wait({gone}, timeout=together / SENDS_PER_SECOND)
                    continue
                if cause is None:
                    self._bell = Bell()
                    services = self._services or EVERY_SERVICE
                    cause = await self._reader.wait(
                        self._bell, services, header=self._header, seconds=HEARTBEAT_SECONDS
                    )
                if cause is Cause.TIME_OVER:
                    if self._reader.revisions.events_after(self._at, self._services) == []:
                        self._at = max(self._at, self._reader.revisions.head)
                    # An id without data moves the place to resume from, and is no event.
                    await self._take(b": heartbeat\nid: %d\n\n" % self._at)
                elif cause is Cause.TOKEN_REVOKED:
                    await self._take(
                        _event("revoked", self._at, detail="The token was revoked, or may no longer read.")
                    )
                    return
                elif cause is not Cause.CHANGED:
                    return
        finally:
            gone.cancel()

    async def _resync(self, reason: str) -> None:
        self._epoch, self._at = self._reader.revisions.epoch, self._reader.revisions.head
        await self._take(RETRY + _event("resync", self._at, detail=reason))

    async def _reason_to_resync(self, after: int) -> str | None:
        if after > self._reader.revisions.head:
            await self._reader.watcher.look()
        if after > self._reader.revisions.head:
            return f"The journal does not reach {after}: read everything again."
        if self._reader.revisions.events_after(after) is None and after < await self._reader.run(log.oldest) - 1:
            return f"The journal no longer holds the changes after {after}: read everything again."
        return None

    async def _catch_up(self, gone: "asyncio.Future[None]") -> Cause | None:
        """Send what the client has not seen; returns what ends the stream, or None when all is sent."""
        while True:
            if self._epoch != self._reader.revisions.epoch:
                await self._resync("The registry's database was restored from a copy: read everything again.")
            head = self._reader.revisions.head
            events = self._reader.revisions.events_after(self._at, self._services)
            if events is None and self._has_caught_up:
                await self._take(_event("slow", self._at, detail="Changes come faster than you take them: reconnect."))
                return Cause.CLIENT_GONE
            if events is None:
                # Those of one token read in turns: many at once would hold up the reads of all others.
                async with self._turn:
                    if gone.done():
                        return Cause.CLIENT_GONE
                    entries: list[Shown] = await self._reader.run(
                        partial(log.page, after=self._at, limit=EVENTS_PER_READ, services=self._services)
                    )
                reach = entries[-1].revision if len(entries) == EVENTS_PER_READ else head
                events, head = [encode(entry) for entry in entries if entry.revision <= reach], reach
            elif not events:
                self._at, self._has_caught_up = max(self._at, head), True
                return None
            try:
                holder = await self._reader.holder(self._header)
            except Unauthenticated:
                return Cause.TOKEN_REVOKED
            if not documents.may_read(holder, self._services):
                return Cause.TOKEN_REVOKED
            if events:
                await self._take(b"".join(event.encoded for event in events))
            self._at = max(self._at, head)

    async def _take(self, chunk: bytes) -> None:
        self._sent += 1
        try:
            # Not wait_for, which makes a task of each.
            async with asyncio.timeout(SEND_SECONDS):
                await self._send(chunk)
        except TimeoutError as error:
            raise Abandoned from error


def _event(name: str, revision: int, **members: str) -> bytes:
    data = msgspec.json.encode({"revision": revision, **members})
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (revision, name.encode(), data)
