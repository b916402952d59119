"""Changes whose client gave up while the process was stopped are not made.

The kernel takes connections and requests for a process that is stopped, or has no processor. When it goes on, it reads
first what came on connections that it knows: a change that was sent again may be stored before the one that its client
has given up, which would then overwrite it.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from config.threads import Abandoned

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

TICK_SECONDS = 0.25
# Hardly any client has a shorter timeout.
STALL_SECONDS = 1.0
# For this long after a stall, requests that arrived during it may still be unread.
RECENT_SECONDS = 3.0
# After this time the server has noticed a client's disconnect on a connection that it reads.
LOOK_SECONDS = 0.1


class Stalls:
    """Notices when the running event loop stood still."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ticked_at = 0.0
        self._recent_until = -math.inf

    def watch(self) -> None:
        """Begin to watch the running loop, unless that has begun."""
        if self._loop is not (loop := asyncio.get_running_loop()):
            self._loop, self._ticked_at, self._recent_until = loop, self._clock(), -math.inf
            loop.call_later(TICK_SECONDS, self._tick)

    def is_recent(self) -> bool:
        """Whether the loop has just stood still."""
        now = self._clock()
        # The loop may not have come to the tick yet.
        if now - self._ticked_at > TICK_SECONDS + STALL_SECONDS:
            self._recent_until = now + RECENT_SECONDS
        return now < self._recent_until

    def _tick(self) -> None:
        self.is_recent()
        self._ticked_at = self._clock()
        asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)


class Attended:
    """A request's `receive`, which raises Abandoned at the end of the body when the client is gone by then."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._first: Message | None = None
        self._next: asyncio.Future[Message] | None = None

    async def __call__(self) -> Message:
        if self._first is not None:
            message, self._first = self._first, None
            return message
        if self._next is not None:
            return await asyncio.shield(self._next)
        message = await self._receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            self._next = asyncio.ensure_future(self._receive())
            await asyncio.wait({self._next}, timeout=LOOK_SECONDS)
            if self._next.done():
                raise Abandoned
        return message

    async def begin(self) -> None:
        """Look at once, for a request without a body, of which a handler may receive nothing."""
        self._first = await self()

    def end(self) -> None:
        if self._next is not None:
            self._next.cancel()
