"""The registry's HTTP/1.1 client for heartbeats and webhooks: what the rest of the registry imports.

It calls untrusted peers, thousands at once: every phase has a timeout and every size a limit, addresses are judged
when connecting, redirects are not followed, and whatever a peer does ends in an `Outcome`.
"""

import asyncio
import ssl
from collections.abc import Callable
from functools import partial
from time import perf_counter

from registry.outbound import file_limit
from registry.outbound.address_policy import AddressPolicy
from registry.outbound.connection import HELD, Connection
from registry.outbound.dns import Resolver
from registry.outbound.exchange import Exchange, ignore
from registry.outbound.opening import Opener, Opening
from registry.outbound.pool import CLOSED, SWEEP_SECONDS, Pool
from registry.outbound.timer_wheel import Timers, Wheel
from registry.outbound.types import Error, Outcome, Request, Timeouts
from registry.outbound.urls import Origin

__all__ = ["Client", "Error", "Exchange", "Origin", "Outcome", "Request", "Timeouts"]


class Client:
    """Belongs to the running event loop. Its connections are kept alive between exchanges.

    `on_peer_closed(origin, idle_seconds)` is called whenever a peer closes a connection that was idle, or that a
    request was just sent on. It may have died, or be one that closes idle connections, perhaps after every answer: who
    asks it again at once must see to it that this ends. A request that meets such a close on its way is sent again,
    once, on a new connection. There are no more of these than the open-files limit has room for; the clock of a request
    that finds `max_connections` busy starts when it gets one. Without `uses_epoll` plain connections are the event
    loop's own transports, and `timers` may stand for the wheel: slower, and kept for what they are measured against.
    """

    def __init__(
        self,
        policy: AddressPolicy,
        *,
        max_connections: int = 1000,
        idle_seconds: float = 60.0,
        on_peer_closed: Callable[[Origin, float], None] | None = None,
        tls_context: ssl.SSLContext | None = None,
        uses_epoll: bool = True,
        timers: Timers | None = None,
        resolver: Resolver | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._wheel: Timers = timers or Wheel(self._loop)
        self._opener = Opener(
            self._loop, policy, tls_context, resolver=resolver or Resolver(self._loop), uses_epoll=uses_epoll
        )
        self._pool = Pool(
            self._loop,
            max_connections=file_limit.room_for(max_connections),
            idle_seconds=idle_seconds,
            sweep_seconds=min(SWEEP_SECONDS, idle_seconds),
            on_room=self._admit,
            on_peer_closed=on_peer_closed,
        )
        self._is_closed = False

    async def send(self, request: Request) -> Outcome:
        """The outcome of one request, whatever the peer does; cancelling ends the exchange."""
        future: asyncio.Future[Outcome] = self._loop.create_future()
        return await self._await(self.start(request, partial(_settle, future)), future)

    async def connect(self, host: str, port: int, timeouts: Timeouts) -> Outcome:
        """Open a TCP connection and close it at once; the outcome says whether it opened."""
        future: asyncio.Future[Outcome] = self._loop.create_future()
        return await self._await(self.start_connect(host, port, timeouts, partial(_settle, future)), future)

    def start(self, request: Request, on_outcome: Callable[[Outcome], None]) -> Exchange:
        """Send without a future or a task: `on_outcome` is called once, after this has returned."""
        try:
            origin = request.target.origin
        except ValueError as error:
            exchange = Exchange(request, Origin("", "", 0), request.timeouts, on_outcome, self._wheel)
            exchange.fail_soon(Error.BAD_URL, str(error))
            return exchange
        exchange = Exchange(request, origin, request.timeouts, on_outcome, self._wheel)
        self._admit(exchange)
        return exchange

    def start_connect(
        self, host: str, port: int, timeouts: Timeouts, on_outcome: Callable[[Outcome], None]
    ) -> Exchange:
        """Connect as `connect` does, with a callback as `start` has."""
        exchange = Exchange(None, Origin(HELD, host, port), timeouts, on_outcome, self._wheel)
        self._admit(exchange)
        return exchange

    def hold(self, host: str, port: int, timeouts: Timeouts) -> None:
        """Hold a silent connection there; `on_peer_closed` hears when the peer closes it.

        It is closed like any that is idle for too long: call this again then.
        """
        origin = Origin(HELD, host, port)
        if not self._pool.has_idle(origin):
            # Whether it is held is seen by its close alone.
            exchange = Exchange(None, origin, timeouts, ignore, self._wheel)
            exchange.is_held = True
            self._admit(exchange)

    async def close(self) -> None:
        """End what is under way (`Error.CLIENT_CLOSED`) and wait until every connection is closed."""
        self._is_closed = True
        while self._pool.waiting:
            self._pool.waiting.popleft().fail(Error.CLIENT_CLOSED, CLOSED)
        await self._pool.drain()
        self._opener.close()
        self._wheel.stop()

    def _admit(self, exchange: Exchange) -> None:
        is_new = exchange.is_retried or exchange.request is None
        connection = None if is_new else self._pool.take(exchange.origin)
        if connection is not None:
            exchange.is_reused = True
            if exchange.request is not None and exchange.request.asks_again:
                exchange.on_silence = self._ask_again
            connection.begin(exchange)
            return
        connection = Connection(exchange, self._pool)
        if self._is_closed:
            exchange.fail_soon(Error.CLIENT_CLOSED, CLOSED)
        elif self._pool.admit(connection):
            Opening(self._opener, connection, exchange).begin()
        else:
            self._pool.wait(exchange)

    def _ask_again(self, silent: Exchange) -> None:
        """Send the same on a new connection, in the time that is left; the first answer of the two counts."""
        left = silent.started + silent.timeouts.first_byte - perf_counter()
        on_outcome = silent.on_outcome
        assert on_outcome is not None

        def hear(outcome: Outcome) -> None:
            if outcome.error is None and not silent.is_finished:
                silent.take(outcome, second)

        def end(outcome: Outcome) -> None:
            second.cancel()
            on_outcome(outcome)

        second = Exchange(silent.request, silent.origin, Timeouts.within(left), hear, self._wheel)
        second.is_retried = True
        silent.on_outcome = end
        self._admit(second)

    async def _await(self, exchange: Exchange, future: "asyncio.Future[Outcome]") -> Outcome:
        try:
            return await future
        finally:
            exchange.cancel()


def _settle(future: "asyncio.Future[Outcome]", outcome: Outcome) -> None:
    if not future.done():
        future.set_result(outcome)
