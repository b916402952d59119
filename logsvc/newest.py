"""Watches the store's newest arrival, with one task for all tails that wait."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from logsvc.storage.current import store

LOOK_SECONDS = 0.25


class Newest:
    """Lives on one event loop; the task runs while anybody waits."""

    def __init__(self, ask: Callable[[Callable[[], int]], Awaitable[int]]) -> None:
        self._ask = ask
        self._seq = -1
        self._news = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None
        self._waiting = 0

    async def beyond(self, seq: int, *, seconds: float) -> bool:
        """Wait until there is more than `seq`; False when there is not within `seconds`."""
        self._waiting += 1
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._look())
        ends_at = time.monotonic() + seconds
        try:
            while self._seq <= seq:
                left = ends_at - time.monotonic()
                if left <= 0:
                    return False
                try:
                    await asyncio.wait_for(self._news.wait(), left)
                except TimeoutError:
                    return self._seq > seq
            return True
        finally:
            self._waiting -= 1

    async def _look(self) -> None:
        while self._waiting:
            try:
                seq = await self._ask(lambda: store().head())
            except Exception:
                # The next look tries again; each tail says by its own read what is wrong.
                seq = self._seq
            if seq != self._seq:
                self._seq = seq
                self._news.set()
                self._news = asyncio.Event()
            await asyncio.sleep(LOOK_SECONDS)
