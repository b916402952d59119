"""Plain TCP connections, many to one event loop, at the least cost for each.

A connection that lives for one exchange costs the kernel about 50 microseconds, and asyncio's transports and the task
that opens one nearly as much again. So the sockets of all exchanges are watched by one epoll of our own, which the
event loop sees as a single file; a transport here does only what an exchange needs.
"""

import asyncio
import errno
import logging
import os
import select
import socket
from collections.abc import Callable
from typing import Any

logger = logging.getLogger(__name__)

# Numbers and the bare type: the enums and the subclass of the standard library are a tenth of a connection's cost.
_IPV4 = int(socket.AF_INET)
_IPV6 = int(socket.AF_INET6)
_STREAM = int(socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
_NOTHING = memoryview(b"")

READ_BYTES = 64 * 1024
# The most sockets that are served before the event loop gets its turn.
MAX_BATCH = 256


class Poller:
    """Linux only, as epoll is."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.epoll = select.epoll()
        self.transports: dict[int, SocketTransport] = {}
        loop.add_reader(self.epoll.fileno(), self._serve)

    def connect(
        self, protocol: asyncio.Protocol, address: str, port: int, early: bytes, on_failure: Callable[[OSError], None]
    ) -> "SocketTransport":
        """Connect; calls either `protocol.connection_made`, perhaps before this returns, or `on_failure`, never before.

        `early` is what the protocol will write as soon as the connection is made. Raises OSError when it fails at once.
        """
        opened = socket.SocketType(_IPV6 if ":" in address else _IPV4, _STREAM)
        try:
            code = opened.connect_ex((address, port))
            if code not in (0, errno.EINPROGRESS):
                raise OSError(code, os.strerror(code))
            sent = _begin_sending(opened, early)
        except OSError:
            opened.close()
            raise
        return SocketTransport(self, opened, protocol, early, sent, on_failure)

    def close(self) -> None:
        """Close the poller, after its transports."""
        self.loop.remove_reader(self.epoll.fileno())
        self.epoll.close()

    def _serve(self) -> None:
        for number, events in self.epoll.poll(0, MAX_BATCH):
            # A transport served before may have closed this one and opened another with the same number, to which the
            # event does not apply: so the socket is asked before anything is concluded.
            transport = self.transports.get(number)
            if transport is None:
                continue
            try:
                transport.serve(events)
            except Exception:
                logger.exception("A connection of the exchange failed")
                transport.abort()


class SocketTransport(asyncio.Transport):
    """The part of a transport that `Connection` uses. It closes at the peer's end of file, and reports that at once."""

    __slots__ = (
        "_early",
        "_is_closing",
        "_is_open",
        "_number",
        "_on_failure",
        "_poller",
        "_protocol",
        "_sent_early",
        "_socket",
        "_unsent",
        "_watched",
    )

    def __init__(
        self,
        poller: Poller,
        opened: socket.SocketType,
        protocol: asyncio.Protocol,
        early: bytes,
        sent: int | None,
        on_failure: Callable[[OSError], None],
    ) -> None:
        self._poller = poller
        self._socket = opened
        self._number = opened.fileno()
        self._protocol: asyncio.Protocol | None = protocol
        self._on_failure: Callable[[OSError], None] | None = on_failure
        self._early = early
        self._sent_early = sent or 0
        self._unsent = _NOTHING
        self._watched = 0
        self._is_open = False
        self._is_closing = False
        poller.transports[self._number] = self
        # On one machine a connection is open at once, and needs no turn of the event loop.
        if sent is not None:
            self._begin()
        self._watch()

    def is_closing(self) -> bool:
        return self._is_closing

    def get_write_buffer_size(self) -> int:
        return len(self._unsent)

    def write(self, data: Any) -> None:
        if self._is_closing:
            return
        if data is self._early:
            self._early = b""
            self._keep(data, self._sent_early)
        elif self._unsent:
            self._unsent = memoryview(bytes(self._unsent) + data)
        else:
            self._send(data)

    def abort(self) -> None:
        self._lose(None)

    def serve(self, events: int) -> None:
        if not self._is_open:
            code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                on_failure = self._on_failure
                self._lose(None)
                if on_failure is not None:
                    on_failure(OSError(code, os.strerror(code)))
            elif _is_connected(self._socket):
                self._early = b""
                self._begin()
                self._watch()
            return
        if self._unsent and events & select.EPOLLOUT:
            unsent, self._unsent = self._unsent, _NOTHING
            self._send(unsent)
            if not self._unsent:
                self._watch()
        if events & ~select.EPOLLOUT:
            self._read()

    def _send(self, data: bytes | memoryview) -> None:
        try:
            sent = self._socket.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            # Not at once: the writer is not done yet.
            self._poller.loop.call_soon(self._lose, error)
            return
        self._keep(data, sent)

    def _keep(self, data: bytes | memoryview, sent: int) -> None:
        if sent < len(data):
            # A view, as a large request is sent in hundreds of pieces.
            self._unsent = memoryview(data)[sent:]
            self._watch()

    def _begin(self) -> None:
        self._is_open = True
        self._on_failure = None
        if self._protocol is not None:
            self._protocol.connection_made(self)

    def _read(self) -> None:
        try:
            data = self._socket.recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(error)
            return
        if self._protocol is None:
            return
        if data:
            self._protocol.data_received(data)
        else:
            self._protocol.eof_received()
            self._lose(None)

    def _watch(self) -> None:
        if self._is_closing:
            return
        wanted = select.EPOLLIN if self._is_open else select.EPOLLOUT
        if self._unsent:
            wanted |= select.EPOLLOUT
        if not self._watched:
            self._poller.epoll.register(self._number, wanted)
        elif wanted != self._watched:
            self._poller.epoll.modify(self._number, wanted)
        self._watched = wanted

    def _lose(self, error: Exception | None) -> None:
        if self._is_closing:
            return
        self._is_closing = True
        del self._poller.transports[self._number]
        if self._watched:
            # Closing alone does not suffice where a forked child holds the same socket.
            self._poller.epoll.unregister(self._number)
        self._socket.close()
        protocol, self._protocol = self._protocol, None
        self._on_failure = None
        if self._is_open and protocol is not None:
            protocol.connection_lost(error)


def _begin_sending(opened: socket.SocketType, early: bytes) -> int | None:
    """Send `early`; returns how much was sent, or None while the connection is not open."""
    if not early:
        return 0 if _is_connected(opened) else None
    try:
        return opened.send(early)
    except (BlockingIOError, InterruptedError):
        return None


def _is_connected(opened: socket.SocketType) -> bool:
    try:
        opened.getpeername()
    except OSError:
        return False
    return True
