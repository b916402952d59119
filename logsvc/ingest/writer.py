"""Group commit: concurrent batches share one transaction, and the queue is bounded."""

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError, close_old_connections, connection

from config.problems import Unavailable
from logsvc.storage.current import store
from logsvc.storage.errors import Away, Full
from logsvc.storage.prepared import Prepared

# About how many records one transaction stores: the longer it is, the longer each of its senders waits.
RECORDS_AT_ONCE = 4000
# Beyond these, batches are refused rather than queued in memory.
RECORDS_WAITING = 60_000
BYTES_WAITING = 32 * 1024 * 1024
# A batch that has waited this long is refused: its sender has given up, or is about to.
LONGEST_WAIT_SECONDS = 8.0

logger = logging.getLogger(__name__)


class Overloaded(Unavailable):
    """Records come faster than they can be stored."""

    code = "overloaded"
    title = "The log service cannot store as fast as records come"

    def __init__(self) -> None:
        super().__init__("Nothing was stored of this: send it again a little later.")
        self.headers["Retry-After"] = "2"


class _Job:
    __slots__ = ("came_at", "future", "records", "size_bytes")

    def __init__(self, records: Prepared, size_bytes: int) -> None:
        self.records = records
        self.size_bytes = size_bytes
        self.came_at = time.monotonic()
        self.future: Future[None] = Future()
        # From now on it cannot be cancelled: what has been handed in is stored.
        self.future.set_running_or_notify_cancel()


class Writer:
    """A bounded queue and the one thread that empties it; the thread starts with the first batch."""

    def __init__(self) -> None:
        self._jobs: deque[_Job] = deque()
        self._records = 0
        self._bytes = 0
        self._lock = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_stopping = False
        self._trouble = ""

    def submit(self, records: Prepared, size_bytes: int) -> "Future[None]":
        """Queue a batch; the future is done when its records are on disk. Raises Overloaded."""
        job = _Job(records, size_bytes)
        with self._lock:
            is_too_much = self._records + len(records) > RECORDS_WAITING or self._bytes + size_bytes > BYTES_WAITING
            if self._records and is_too_much:
                raise Overloaded
            self._jobs.append(job)
            self._records += len(records)
            self._bytes += size_bytes
            # Not after a fork, which takes no threads along.
            if self._thread is None or not self._thread.is_alive():
                self._is_stopping = False
                self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
                self._thread.start()
            self._lock.notify()
        return job.future

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the thread back, so that the batches of the context are stored together."""
        with self._lock:
            yield

    def stop(self) -> None:
        """Store what has been submitted, and let go of the database."""
        with self._lock:
            thread, self._thread, self._is_stopping = self._thread, None, True
            self._lock.notify()
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        try:
            while jobs := self._gathered():
                try:
                    self._store(jobs)
                except Exception as error:
                    # No sender waits for ever, and the next batches are stored.
                    logger.exception("%d batches could not be stored", len(jobs))
                    _refuse(jobs, error)
                with self._lock:
                    self._records -= sum(len(job.records) for job in jobs)
                    self._bytes -= sum(job.size_bytes for job in jobs)
        finally:
            connection.close()

    def _gathered(self) -> list[_Job]:
        """The batches that wait, at least one; none when it is time to stop."""
        with self._lock:
            while not self._jobs and not self._is_stopping:
                self._lock.wait()
            jobs: list[_Job] = []
            count = 0
            while self._jobs and (not jobs or count + len(self._jobs[0].records) <= RECORDS_AT_ONCE):
                jobs.append(self._jobs.popleft())
                count += len(jobs[-1].records)
            return jobs

    def _store(self, jobs: list[_Job]) -> None:
        close_old_connections()
        now = time.monotonic()
        late = [job for job in jobs if now - job.came_at > LONGEST_WAIT_SECONDS]
        _refuse(late, Overloaded())
        jobs = [job for job in jobs if now - job.came_at <= LONGEST_WAIT_SECONDS]
        if not jobs:
            return
        try:
            store().append_prepared([job.records for job in jobs], received_ns=time.time_ns())
        except Full as error:
            self._note("The disk is full: nothing is stored until there is room.")
            _refuse(jobs, error)
        except (OperationalError, InterfaceError, Away) as error:
            self._note(f"The database is away: {error}")
            _refuse(jobs, error if isinstance(error, Away) else Away())
        except Exception:
            if len(jobs) == 1:
                raise
            # One of them may be what the database refused: the others must not suffer from it.
            for job in jobs:
                try:
                    self._store([job])
                except Exception as error:
                    logger.exception("A batch of %d records could not be stored", len(job.records))
                    _refuse([job], error)
        else:
            self._note("")
            for job in jobs:
                job.future.set_result(None)

    def _note(self, trouble: str) -> None:
        """Log a trouble only when it begins and when it is over, as each message becomes a record to store."""
        if trouble and not self._trouble:
            logger.error("%s", trouble)
        elif self._trouble and not trouble:
            logger.warning("Records are stored again.")
        self._trouble = trouble


def _refuse(jobs: list[_Job], error: Exception) -> None:
    for job in jobs:
        if not job.future.done():
            job.future.set_exception(error)
