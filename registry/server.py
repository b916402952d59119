"""The state that a serving process of the registry keeps between requests."""

import asyncio
import math
from collections.abc import Callable
from functools import partial

from django.conf import settings

from config.threads import Threads
from registry.discovery import reader
from registry.discovery.journal_poller import Run
from registry.discovery.reader import Reader
from registry.discovery.row_json_cache import RowJsonCache
from registry.instances.group_commit import GroupCommit

# The threads of `write`, for batches alone: each takes seconds, and no read, and no poll for changes, may wait for it.
BATCH_THREADS = 2


class Server:
    """The group commit of registrations, the reader of the event loop that serves, and the threads beside it."""

    def __init__(self, start: Callable[[], Reader] = reader.start, write: Run | None = None) -> None:
        self.group_commit = GroupCommit()
        self.rows = RowJsonCache()
        self.write = write or partial(reader.write_in, Threads(BATCH_THREADS))
        # Encodes long answers, so that the event loop goes on.
        self.answering = Threads(1)
        self._start = start
        self._reader: Reader | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def reader(self) -> Reader:
        """The running loop's reader, started by the first caller."""
        loop = asyncio.get_running_loop()
        if self._reader is None or self._loop is not loop:
            self._reader, self._loop = self._start(), loop
        return self._reader


server = Server()


def answer_in_time() -> None:
    """Refuse writes that waited too long to be answered; called in a process that serves (settings.WHEN_SERVING)."""
    server.group_commit.patience_seconds = settings.ANSWER_SECONDS or math.inf
