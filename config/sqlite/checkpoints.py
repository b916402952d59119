"""Checkpoints of SQLite's write-ahead log, in a thread of their own.

Left to itself SQLite copies the log into the database within the commit that makes it a thousand pages long: of a
hundred registrations one waits for the disk several times as long.
"""

import logging
import threading

from django.db import DEFAULT_DB_ALIAS, DatabaseError, close_old_connections, connection, connections

PAUSE_SECONDS = 1.0
# From this many pages on, a commit makes the checkpoint itself, because the thread has had no time for it.
MOST_PAGES = 10_000

logger = logging.getLogger(__name__)


def run_in_background() -> None:
    """Relieve this process's commits of checkpoints; called in a process that serves (settings.WHEN_SERVING)."""
    settings = connections.settings[DEFAULT_DB_ALIAS]
    if settings["ENGINE"] == "config.sqlite":
        settings["OPTIONS"]["init_command"] += f" PRAGMA wal_autocheckpoint={MOST_PAGES};"
        threading.Thread(target=_run, name="checkpoints", daemon=True).start()


def checkpoint() -> int:
    """Copy what no reader needs any more from the log; returns how many pages of it are copied. Nobody is locked out.

    Raises DatabaseError.
    """
    close_old_connections()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
        _, _, copied = cursor.fetchone()
    return int(copied)


def _run() -> None:
    pause = threading.Event()
    while not pause.wait(PAUSE_SECONDS):
        try:
            checkpoint()
        except DatabaseError as error:
            # A full disk, or a file that was replaced: the commits say so themselves.
            logger.debug("No checkpoint was made: %s", error)
