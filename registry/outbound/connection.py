"""One open connection and the exchange that runs on it."""

import asyncio
import ssl
from time import perf_counter
from typing import Protocol, cast

from registry.outbound.exchange import Exchange
from registry.outbound.parser import Answer, BrokenAnswerError
from registry.outbound.types import Error, Outcome

# The scheme of an origin that nothing is asked of.
HELD = "tcp"


class Home(Protocol):
    """The owner of a connection while no exchange runs on it."""

    def put(self, connection: "Connection", now: float) -> None:
        """It is whole and free for the next exchange."""

    def see_peer_leave(self, connection: "Connection") -> None:
        """The peer closed it while it was idle."""

    def withdraw(self, connection: "Connection") -> bool:
        """It is idle, and not fit for another exchange."""

    def forget(self, connection: "Connection") -> None:
        """It is closed, or was never opened."""

    def try_again(self, connection: "Connection", exchange: Exchange) -> None:
        """It was closed under an exchange before the peer can have answered."""


class Connection(asyncio.Protocol):
    __slots__ = ("_answer", "_exchange", "_home", "_transport", "idle_since", "origin")

    def __init__(self, exchange: Exchange, home: Home) -> None:
        """Made for `exchange`, which it begins with as soon as it is open."""
        self.origin = exchange.origin
        self.idle_since = 0.0
        self._answer = Answer()
        self._exchange: Exchange | None = exchange
        self._home = home
        self._transport: asyncio.Transport | None = None

    @property
    def has_answered(self) -> bool:
        return self._answer.received > 0

    @property
    def is_usable(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def begin(self, exchange: Exchange) -> None:
        """Sends the exchange's request; its outcome follows."""
        request = exchange.request
        assert request is not None
        assert self._transport is not None
        self._answer.begin(is_head_only=request.method == "HEAD", max_body_bytes=request.max_body_bytes)
        self._exchange = exchange
        exchange.begin_answer(self)
        self._transport.write(request.encoded)

    def abandon(self) -> None:
        """It will not be opened."""
        if self._transport is None:
            self._answer.release()
            self._exchange = None
            self._home.forget(self)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def fail(self, error: Error, detail: str) -> None:
        exchange, self._exchange = self._exchange, None
        self.close()
        if exchange is None:
            return
        is_stale = exchange.is_reused and not self.has_answered and error in (Error.RESET, Error.CLOSED_EARLY)
        if is_stale and not exchange.is_retried:
            self._home.try_again(self, exchange)
        else:
            exchange.finish(self._report(exchange, error, detail), perf_counter())

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        exchange, self._exchange = self._exchange, None
        if exchange is None or exchange.is_finished:
            self.close()
        elif exchange.request is None:
            if exchange.is_held:
                self._home.put(self, perf_counter())
            else:
                self.close()
            exchange.opening = None
            exchange.finish_soon(Outcome())
        else:
            self.begin(exchange)

    def data_received(self, data: bytes) -> None:
        if self._exchange is None:
            if self.origin.scheme == HELD:
                # The connection is held only to see it close; many servers send a greeting.
                return
            # Unrequested data: the next answer could not be told from it.
            self._home.withdraw(self)
            self.close()
            return
        try:
            is_over = self._answer.feed(data)
        except BrokenAnswerError as broken:
            self.fail(broken.error, f"{self.origin} {broken.detail}.")
        else:
            if is_over:
                self._succeed()

    def eof_received(self) -> None:
        if self._exchange is None:
            self._home.see_peer_leave(self)
        elif self._answer.ends_with_connection():
            self._succeed()
        else:
            self.fail(Error.CLOSED_EARLY, self._describe_loss("closed the connection"))

    def connection_lost(self, error: Exception | None) -> None:
        self._answer.release()
        self._home.forget(self)
        if self._exchange is None:
            return
        if isinstance(error, ssl.SSLError):
            self.fail(Error.TLS_FAILED, f"{self.origin} broke TLS: {error.reason or error}.")
        elif error is not None:
            self.fail(Error.RESET, self._describe_loss("reset the connection"))
        else:
            self.fail(Error.CLOSED_EARLY, self._describe_loss("closed the connection"))

    def _succeed(self) -> None:
        exchange, self._exchange = self._exchange, None
        assert exchange is not None
        now = perf_counter()
        # Built before the connection is given back, which may begin the next answer, and reported after, so that the
        # caller finds the connection free.
        outcome = self._report(exchange)
        request, transport = exchange.request, self._transport
        assert request is not None
        assert transport is not None
        # A peer may answer before it has read all of a large request.
        has_sent_all = not request.body or transport.get_write_buffer_size() == 0
        if self._answer.leaves_connection_fit and request.keep_alive and has_sent_all:
            self._home.put(self, now)
        else:
            self.close()
        exchange.finish(outcome, now)

    def _report(self, exchange: Exchange, error: Error | None = None, detail: str = "") -> Outcome:
        answer = self._answer
        return Outcome(
            status=answer.status,
            error=error,
            detail=detail,
            head=answer.head,
            body=answer.body,
            reused=exchange.is_reused,
        )

    def _describe_loss(self, what: str) -> str:
        return f"{self.origin} {what} {'amid its answer' if self.has_answered else 'before it answered'}."
