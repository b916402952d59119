"""The pool of open connections."""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable
from time import perf_counter

from registry.outbound.connection import Connection
from registry.outbound.exchange import Exchange
from registry.outbound.types import Error
from registry.outbound.urls import Origin

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 1.0
CLOSED = "The client that was to send it is closed."


class Pool:
    """At most `max_connections` at any time; the least recently used idle one is closed for a new one.

    An exchange that finds neither room nor anything idle waits its turn, first come first served.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        max_connections: int,
        idle_seconds: float,
        sweep_seconds: float = SWEEP_SECONDS,
        on_room: Callable[[Exchange], None],
        on_peer_closed: Callable[[Origin, float], None] | None,
    ) -> None:
        self.open: set[Connection] = set()
        self.waiting: deque[Exchange] = deque()
        self._loop = loop
        self._max_connections = max_connections
        self._idle_seconds = idle_seconds
        self._sweep_seconds = sweep_seconds
        self._on_room = on_room
        self._on_peer_closed = on_peer_closed
        # The one used longest ago comes first.
        self._idle: OrderedDict[Connection, None] = OrderedDict()
        self._idle_of: dict[Origin, dict[Connection, None]] = {}
        self._sweep_handle: asyncio.TimerHandle | None = None
        self._drained: asyncio.Future[None] | None = None

    def take(self, origin: Origin) -> Connection | None:
        """An idle connection to `origin`, the one used last, which is the likeliest to live."""
        connections = self._idle_of.get(origin)
        while connections:
            connection = next(reversed(connections))
            self.withdraw(connection)
            if connection.is_usable:
                return connection
        return None

    def has_idle(self, origin: Origin) -> bool:
        return origin in self._idle_of

    def put(self, connection: Connection, now: float) -> None:
        connection.idle_since = now
        self._idle[connection] = None
        self._idle_of.setdefault(connection.origin, {})[connection] = None
        if self._sweep_handle is None:
            self._sweep_handle = self._loop.call_later(self._sweep_seconds, self._sweep)
        if self.waiting:
            self._serve()

    def withdraw(self, connection: Connection) -> bool:
        """Take a connection from the idle ones; returns whether it was idle."""
        if connection not in self._idle:
            return False
        del self._idle[connection]
        connections = self._idle_of[connection.origin]
        del connections[connection]
        if not connections:
            del self._idle_of[connection.origin]
        return True

    def admit(self, connection: Connection) -> bool:
        """Count a connection that is about to be opened; returns whether there is room."""
        if len(self.open) >= self._max_connections:
            return False
        self.open.add(connection)
        return True

    def wait(self, exchange: Exchange) -> None:
        self.waiting.append(exchange)
        self._evict()

    def forget(self, connection: Connection) -> None:
        if connection in self._idle:
            self.see_peer_leave(connection)
        self.open.discard(connection)
        if self.waiting:
            self._serve()
        if not self.open and self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def try_again(self, connection: Connection, exchange: Exchange) -> None:
        self._tell_of_close(connection.origin, exchange.started - connection.idle_since)
        exchange.begin_again()
        self._on_room(exchange)

    def see_peer_leave(self, connection: Connection) -> None:
        if self.withdraw(connection):
            self._tell_of_close(connection.origin, perf_counter() - connection.idle_since)

    async def drain(self) -> None:
        """Close all connections, and wait until they are closed."""
        self._idle.clear()
        self._idle_of.clear()
        for connection in list(self.open):
            connection.fail(Error.CLIENT_CLOSED, CLOSED)
        if self._sweep_handle is not None:
            self._sweep_handle.cancel()
        if self.open:
            self._drained = self._loop.create_future()
            await self._drained

    def _tell_of_close(self, origin: Origin, idle_seconds: float) -> None:
        if self._on_peer_closed is None:
            return
        try:
            self._on_peer_closed(origin, idle_seconds)
        except Exception:
            # Raised into the event loop it would end another exchange's connection.
            logger.exception("Handling a closed connection failed")

    def _serve(self) -> None:
        while self.waiting and self.waiting[0].is_finished:
            self.waiting.popleft()
        if not self.waiting:
            return
        if len(self.open) < self._max_connections or self.waiting[0].origin in self._idle_of:
            exchange = self.waiting.popleft()
            # The peer is not to blame for the queue.
            exchange.restart_clock()
            self._on_room(exchange)
        else:
            self._evict()

    def _evict(self) -> None:
        if self._idle:
            oldest = next(iter(self._idle))
            self.withdraw(oldest)
            oldest.close()

    def _sweep(self) -> None:
        horizon = perf_counter() - self._idle_seconds
        while self._idle and next(iter(self._idle)).idle_since <= horizon:
            self._evict()
        self._sweep_handle = self._loop.call_later(self._sweep_seconds, self._sweep) if self._idle else None
