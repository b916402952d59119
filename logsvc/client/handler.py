"""The logging handler: a logging call writes to the spool, and never waits for the log service."""

import contextlib
import logging
import os
import socket
import sys
import weakref
from collections.abc import Mapping
from pathlib import Path

import httpx2

from .complaints import Complaints
from .delivery import Delivery
from .endpoint import Address, Endpoint
from .line import LineEncoder
from .sender import Sender
from .spool import Spool

SPOOL_BYTES = 64 * 1024 * 1024
FLUSH_SECONDS = 1.5
STOP_SECONDS = 0.4

# The HTTP library's records are caused by sending: to send them too would never end.
_OWN_LOGGERS = ("httpx2", "httpcore2")


class LogHandler(logging.Handler):
    """Sends records to the log service at `endpoint`.

    `endpoint` is an address, a membership of `registry.client`, or a function that says the address, or None while it
    is not known; it is asked in the handler's own thread only. With a membership, what waits is sent at once when the
    registry says that the log service is back.

    A record is in a file below `spool_dir` when the logging call returns: from then on neither the end of this process,
    `kill -9` included, nor that of the log service loses it. Exceptions: more than `max_spool_bytes` are waiting (the
    lowest levels go first, and are counted), or the spool cannot be written (then records wait in memory, as stderr
    says). The handler's thread takes over what earlier processes left in `spool_dir`. Records of that thread and of the
    HTTP library are not taken. Works across forks.

    `instance` names the process; by default it is the host's name and the process's number. `is_mapped=False` writes
    the spool with `write` instead of through a memory mapping: for network and copy-on-write file systems.
    """

    def __init__(
        self,
        *,
        service: str,
        token: str,
        endpoint: Endpoint,
        spool_dir: Path | str,
        instance: str = "",
        level: int | str = logging.NOTSET,
        max_spool_bytes: int = SPOOL_BYTES,
        is_mapped: bool = True,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        super().__init__(level)
        self._service = service
        self._token = token
        self._endpoint = endpoint
        self._spool_dir = Path(spool_dir)
        self._given_instance = instance
        self._max_spool_bytes = max_spool_bytes
        self._is_mapped = is_mapped
        self._transport = transport
        self._complaints = Complaints()
        self._sender: Sender | None = None
        self._begin()
        _handlers.add(self)

    def filter(self, record: logging.LogRecord) -> bool:
        # Not in emit, which runs under the handler's lock: a flush may hold that lock while it waits for the sender.
        sender = self._sender
        is_own = record.name.startswith(_OWN_LOGGERS) or (sender is not None and sender.is_current_thread())
        return not is_own and bool(super().filter(record))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._spool.append(self._lines.encode(record), record.levelno)
            sender = self._sender
            if sender is None or not sender.is_alive:
                sender = self._sender = Sender(self._spool, self._delivery, complaints=self._complaints)
                # An interpreter that is ending makes no threads: the record waits in the spool for the next process.
                with contextlib.suppress(RuntimeError):
                    sender.start()
            sender.notify()
        except Exception:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- logging's name
        """Report now and then that records were lost; logging's own method would print a traceback for each."""
        if logging.raiseExceptions:
            error = sys.exc_info()[1]
            self._complaints.say("record", f"a record of {record.name} was not taken ({type(error).__name__}: {error})")

    def flush(self) -> None:
        """Wait a moment until all records are sent; those that cannot be sent now stay in the spool."""
        sender = self._sender
        if sender is not None and sender.is_alive and not sender.is_current_thread():
            sender.flush(FLUSH_SECONDS)

    def wake(self) -> None:
        """Try to send now: the log service is reported to be back."""
        sender = self._sender
        if sender is not None:
            sender.wake()

    def close(self) -> None:
        """Stop sending; the next process with this `spool_dir` sends the rest."""
        self.acquire()
        try:
            sender, self._sender = self._sender, None
        finally:
            self.release()
        if sender is not None and sender.is_alive:
            sender.stop(STOP_SECONDS)
        self._spool.close()
        super().close()

    def _begin(self) -> None:
        """Set up the state of one process; a forked child does so anew."""
        host = socket.gethostname()
        instance = self._given_instance or f"{host}-{os.getpid()}"
        self._lines = LineEncoder(service=self._service, instance=instance, host=host)
        self._spool = Spool(
            self._spool_dir,
            max_bytes=self._max_spool_bytes,
            complaints=self._complaints,
            is_mapped=self._is_mapped,
        )
        self._sender = None

    def _begin_in_child(self) -> None:
        self._spool.disown()
        self._begin()

    def _delivery(self) -> Delivery:
        return Delivery(
            self._spool,
            locate=Address(self._endpoint, self.wake).get,
            token=self._token,
            notice_drop=self._notice_drop,
            complaints=self._complaints,
            transport=self._transport,
        )

    def _notice_drop(self, dropped: Mapping[int, int]) -> None:
        message = "dropped %d records while the log service was away: the spool was full"
        record = logging.LogRecord(__name__, logging.WARNING, __file__, 0, message, (sum(dropped.values()),), None)
        record.dropped = {logging.getLevelName(level): count for level, count in sorted(dropped.items())}
        self._spool.append(self._lines.encode(record), record.levelno)


_handlers: "weakref.WeakSet[LogHandler]" = weakref.WeakSet()


def _begin_in_child() -> None:
    for handler in list(_handlers):
        handler._begin_in_child()


os.register_at_fork(after_in_child=_begin_in_child)
