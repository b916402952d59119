"""The logging handler: whoever logs writes to the spool, and never waits for the log service."""

import contextlib
import logging
import os
import socket
import weakref
from pathlib import Path

import httpx2

from .complaints import Complaints
from .delivery import Delivery, Endpoint
from .line import encode
from .sender import Sender
from .spool import Spool

SPOOL_BYTES = 64 * 1024 * 1024
FLUSH_SECONDS = 1.5
STOP_SECONDS = 0.5

# What these log is said while sending: to send it too would never end.
_OWN_LOGGERS = ("httpx2", "httpcore2")


class LogHandler(logging.Handler):
    """Sends records to the log service that `endpoint` names at the time: its address, or None while it is not known.

    A record is on disk, below `spool_dir`, when the logging call returns: from then on neither the end of this process
    nor that of the log service loses it, unless more than `max_spool_bytes` are waiting, when the oldest go and are
    counted. A thread of its own sends, and takes over what earlier processes left in `spool_dir`; `endpoint` is called
    in that thread only. Records of that thread and of the HTTP library are not taken. Works across forks.

    `instance` names the process; by default it is the host's name and the process's number.
    """

    def __init__(
        self,
        *,
        service: str,
        token: str,
        endpoint: Endpoint,
        spool_dir: Path | str,
        instance: str = "",
        level: int = logging.NOTSET,
        max_spool_bytes: int = SPOOL_BYTES,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        super().__init__(level)
        self._service = service
        self._token = token
        self._endpoint = endpoint
        self._spool_dir = Path(spool_dir)
        self._given_instance = instance
        self._max_spool_bytes = max_spool_bytes
        self._transport = transport
        self._complaints = Complaints()
        self._sender: Sender | None = None
        self._begin()
        _handlers.add(self)

    def filter(self, record: logging.LogRecord) -> bool:
        # Not in emit, which runs under the handler's lock: who flushes may hold that lock, and waits for the sender.
        return not self._is_own(record) and bool(super().filter(record))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._spool.append(encode(record, service=self._service, instance=self._instance))
            self._running_sender().notify()
        except Exception:
            self.handleError(record)

    def flush(self) -> None:
        """Wait for a moment until what was logged is sent, unless it cannot be sent now: then it is in the spool."""
        sender = self._sender
        if sender is not None and sender.is_alive and not sender.is_current_thread():
            sender.flush(FLUSH_SECONDS)

    def close(self) -> None:
        """Stop sending; what is not sent is left to the next process with this `spool_dir`."""
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
        """What belongs to one process; a forked child begins anew."""
        self._instance = self._given_instance or f"{socket.gethostname()}-{os.getpid()}"
        self._spool = Spool(self._spool_dir, max_bytes=self._max_spool_bytes, complaints=self._complaints)
        self._sender = None

    def _begin_in_child(self) -> None:
        self._spool.disown()
        self._begin()

    def _is_own(self, record: logging.LogRecord) -> bool:
        sender = self._sender
        return record.name.startswith(_OWN_LOGGERS) or (sender is not None and sender.is_current_thread())

    def _running_sender(self) -> Sender:
        sender = self._sender
        if sender is None or not sender.is_alive:
            sender = self._sender = Sender(self._spool, self._delivery, complaints=self._complaints)
            # An interpreter that is ending makes no threads: then the record waits in the spool for the next process.
            with contextlib.suppress(RuntimeError):
                sender.start()
        return sender

    def _delivery(self) -> Delivery:
        return Delivery(
            self._spool,
            endpoint=self._endpoint,
            token=self._token,
            drop_notice=self._drop_notice,
            complaints=self._complaints,
            transport=self._transport,
        )

    def _drop_notice(self, dropped: int) -> bytes:
        message = "%d records were dropped while the log service was away: the spool was full"
        record = logging.LogRecord(__name__, logging.WARNING, __file__, 0, message, (dropped,), None)
        return encode(record, service=self._service, instance=self._instance)


_handlers: "weakref.WeakSet[LogHandler]" = weakref.WeakSet()


def _begin_in_child() -> None:
    for handler in list(_handlers):
        handler._begin_in_child()


os.register_at_fork(after_in_child=_begin_in_child)
