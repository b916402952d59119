"""Opens a connection: resolves the name, judges its addresses and connects to one of them."""

import asyncio
import errno
import select
import ssl
from functools import lru_cache
from time import perf_counter

from config.networks import literal_address
from registry.outbound.address_policy import AddressPolicy
from registry.outbound.connection import Connection
from registry.outbound.dns import Resolver
from registry.outbound.epoll import Poller
from registry.outbound.exchange import Exchange
from registry.outbound.types import Error
from registry.outbound.urls import Origin

# Limits of our own, which say nothing about the peer.
_LOCAL_LIMITS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL, errno.EAGAIN})


class Opener:
    """Shared by all openings. Plain connections use the poller where there is epoll, TLS the event loop."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        policy: AddressPolicy,
        tls_context: ssl.SSLContext | None,
        *,
        resolver: Resolver,
        uses_epoll: bool,
    ) -> None:
        self.loop = loop
        self.policy = policy
        self.resolver = resolver
        self.poller = Poller(loop) if uses_epoll and hasattr(select, "epoll") else None
        self.judge = lru_cache(maxsize=50_000)(self._judge_literal)
        self._tls_context = tls_context

    @property
    def tls_context(self) -> ssl.SSLContext:
        if self._tls_context is None:
            self._tls_context = ssl.create_default_context()
        return self._tls_context

    def _judge_literal(self, origin: Origin) -> tuple[list[str], str] | None:
        """The verdict on a literal address; None for a name, which is judged when it resolves."""
        literal = literal_address(origin.host)
        return None if literal is None else self.policy.sift([literal], origin.port)

    def close(self) -> None:
        self.resolver.stop()
        if self.poller is not None:
            self.poller.close()


class Opening:
    """Ends with the exchange begun on its connection, or failed; never within `begin`."""

    __slots__ = ("_addresses", "_attempt", "_connection", "_ends_at", "_exchange", "_opener")

    def __init__(self, opener: Opener, connection: Connection, exchange: Exchange) -> None:
        self._opener = opener
        self._connection = connection
        self._exchange = exchange
        self._addresses: list[str] = []
        self._ends_at = 0.0
        # The attempt under way, which ends with the opening.
        self._attempt: asyncio.Task[None] | asyncio.Transport | None = None

    def begin(self) -> None:
        self._exchange.opening = self
        origin, opener = self._exchange.origin, self._opener
        verdict = opener.judge(origin)
        if verdict is None and (known := opener.resolver.recall(origin.host)):
            verdict = opener.policy.sift(known, origin.port)
        if verdict is not None:
            self._follow(*verdict)
        else:
            self._exchange.begin_resolving()
            self._attempt = opener.loop.create_task(self._resolve())

    def try_next(self) -> bool:
        """Try the name's next address, if there is one."""
        self._stop_attempt()
        if not self._addresses:
            return False
        self._connect()
        return True

    def end(self) -> None:
        self._addresses = []
        self._stop_attempt()
        self._connection.abandon()

    async def _resolve(self) -> None:
        host = self._exchange.origin.host
        try:
            found = await self._opener.resolver.resolve(host)
        except OSError as error:
            self._exchange.fail_soon(Error.RESOLVE_FAILED, f"{host} did not resolve: {error.strerror or error}.")
        else:
            self._attempt = None
            self._follow(*self._opener.policy.sift(found, self._exchange.origin.port))

    def _follow(self, allowed: list[str], refusal: str) -> None:
        if allowed:
            self._addresses = allowed.copy()
            self._ends_at = perf_counter() + self._exchange.timeouts.connect
            self._connect()
        else:
            detail = refusal or f"{self._exchange.origin.host} has no address."
            self._exchange.fail_soon(Error.REFUSED_ADDRESS, detail)

    def _connect(self) -> None:
        """Connect to an address that was judged: the name is not resolved a second time."""
        exchange, opener = self._exchange, self._opener
        # Each address leaves the others a share of the time.
        share = 1 / len(self._addresses)
        address = self._addresses.pop(0)
        if exchange.origin.scheme == "https" or opener.poller is None:
            self._attempt = opener.loop.create_task(self._connect_by_loop(address))
        else:
            early = exchange.request.encoded if exchange.request else b""
            try:
                self._attempt = opener.poller.connect(
                    self._connection, address, exchange.origin.port, early, self._go_on
                )
            except OSError as error:
                self._go_on(error)
                return
        if exchange.opening is self:
            now = perf_counter()
            exchange.begin_connecting(now + (self._ends_at - now) * share)

    async def _connect_by_loop(self, address: str) -> None:
        origin = self._exchange.origin
        is_tls = origin.scheme == "https"
        try:
            await self._opener.loop.create_connection(
                lambda: self._connection,
                address,
                origin.port,
                ssl=self._opener.tls_context if is_tls else None,
                server_hostname=origin.host if is_tls else None,
            )
        except OSError as error:
            self._go_on(error)
        except ValueError as error:
            self._go_on(OSError(errno.EINVAL, str(error)))

    def _go_on(self, error: OSError) -> None:
        self._attempt = None
        if not self.try_next():
            self._exchange.fail_soon(*_explain(self._exchange.origin, error))

    def _stop_attempt(self) -> None:
        attempt, self._attempt = self._attempt, None
        if isinstance(attempt, asyncio.Task):
            attempt.cancel()
        elif attempt is not None:
            attempt.abort()


def _explain(origin: Origin, error: OSError) -> tuple[Error, str]:
    reason = error.strerror or str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return Error.TLS_FAILED, f"{origin} showed a certificate that is not trusted: {error.verify_message}."
    if isinstance(error, ssl.SSLError):
        return Error.TLS_FAILED, f"{origin} did not begin TLS: {error.reason or reason}."
    if isinstance(error, ConnectionRefusedError):
        return Error.CONNECTION_REFUSED, f"{origin} refused the connection."
    if isinstance(error, TimeoutError):
        return Error.CONNECT_TIMEOUT, f"{origin} accepted no connection in time."
    if error.errno in _LOCAL_LIMITS:
        return Error.LOCAL_LIMIT, f"We could not open a connection to {origin}: {reason}."
    if origin.scheme == "https" and isinstance(error, ConnectionError):
        return Error.TLS_FAILED, f"{origin} broke off before TLS began: {reason}."
    return Error.CONNECT_FAILED, f"{origin} could not be connected to: {reason}."
