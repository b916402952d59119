"""The progress of an import that a worker makes.

The import is one transaction, which shows nothing of itself before it ends; so its progress goes by Redis. Without
Redis none is shown, and the import goes on.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.conf import settings

# Imported when it is needed: it takes an eighth of the start of a process, most of which tell of no import.
if TYPE_CHECKING:
    import redis

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 1.0
TELL_SECONDS = 0.25
# Longer than any import takes.
KEPT_SECONDS = 3600


class Progress:
    """Rows done of one import, set by the thread that does them."""

    def __init__(self) -> None:
        self.rows_done = 0


@contextmanager
def telling(*, batch_id: int) -> Iterator[Progress]:
    """Tell of progress from a thread of its own: no transaction waits for Redis."""
    progress, done = Progress(), threading.Event()
    teller = threading.Thread(target=_tell, args=(batch_id, progress, done), name="import-progress", daemon=True)
    teller.start()
    try:
        yield progress
    finally:
        done.set()


def read(*, batch_id: int) -> int:
    """The rows done; 0 also where none is known, or Redis is away."""
    import redis

    try:
        with connect() as client:
            return int(client.get(_key(batch_id)) or 0)
    except (redis.RedisError, ValueError):
        return 0


def connect() -> "redis.Redis":
    import redis

    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
    )


def _tell(batch_id: int, progress: Progress, done: threading.Event) -> None:
    import redis

    # The progress of an earlier worker is void.
    told = -1
    with connect() as client:
        while not done.wait(TELL_SECONDS):
            if progress.rows_done == told:
                continue
            try:
                client.set(_key(batch_id), progress.rows_done, ex=KEPT_SECONDS)
            except redis.RedisError as error:
                logger.debug("Progress of import %s is not shown: %s", batch_id, error)
            told = progress.rows_done


def _key(batch_id: int) -> str:
    return f"grading:import:{batch_id}:rows-done"
