"""Calling a service by its name: `rollcall://grading/api/courses`, over httpx2.

A request goes to the provider whose turn it is. When that one refuses the connection it is reported as failing, and
the request goes to another: it never arrived. When it fails after the request was sent, it goes to another where
repeating it does no harm, which is what HTTP calls idempotent.
"""

import ssl
from contextlib import aclosing, closing
from functools import cache
from typing import Any, Protocol, cast

import httpx2

from .errors import NoProviderError
from .wire import Provider

SCHEME = "rollcall"
MOST_ATTEMPTS = 3
# The methods that HTTP defines so that repeating a request does what sending it once does.
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
# Sent by a proxy whose service is gone, and by a service that is overloaded.
AWAY = frozenset({502, 503, 504})
# A body up to this length is read before the answer is handed on, so that one that breaks off can be asked for again.
READ_AHEAD_BYTES = 64 * 1024


class Choosing(Protocol):
    """Chooses providers: a membership or a lookup."""

    def choose(self, service: str) -> Provider | None: ...

    def report_failure(self, provider: Provider) -> None: ...

    def report_success(self, provider: Provider) -> None: ...


@cache
def certificates() -> ssl.SSLContext:
    """Read once in a process: reading the system's certificates takes far longer than all else about a client."""
    return httpx2.create_ssl_context()


def client(choosing: Choosing, **options: Any) -> httpx2.Client:
    """An `httpx2.Client` with these options, that takes a service's name for a host."""
    verify = options.setdefault("verify", certificates())
    transport = Transport(choosing, inner=httpx2.HTTPTransport(verify=verify))
    return httpx2.Client(mounts={f"{SCHEME}://": transport}, **options)


def async_client(choosing: Choosing, **options: Any) -> httpx2.AsyncClient:
    verify = options.setdefault("verify", certificates())
    transport = AsyncTransport(choosing, inner=httpx2.AsyncHTTPTransport(verify=verify))
    return httpx2.AsyncClient(mounts={f"{SCHEME}://": transport}, **options)


class Transport(httpx2.BaseTransport):
    """Takes a client's requests to `rollcall://`. Raises NoProviderError if no provider is offered."""

    def __init__(self, choosing: Choosing, *, inner: httpx2.BaseTransport | None = None) -> None:
        self._choosing = choosing
        self._inner = inner or httpx2.HTTPTransport()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        attempts = _Attempts(self._choosing, request)
        while True:
            try:
                response = self._inner.handle_request(attempts.request())
                if attempts.reads_ahead(response):
                    with closing(response):
                        response = _read(response, b"".join(cast(httpx2.SyncByteStream, response.stream)))
            except httpx2.TransportError as error:
                attempts.fail(error)
            else:
                if not attempts.goes_on_after(response):
                    return response
                response.close()

    def close(self) -> None:
        self._inner.close()


class AsyncTransport(httpx2.AsyncBaseTransport):
    """The same as Transport, for asynchronous code."""

    def __init__(self, choosing: Choosing, *, inner: httpx2.AsyncBaseTransport | None = None) -> None:
        self._choosing = choosing
        self._inner = inner or httpx2.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        attempts = _Attempts(self._choosing, request)
        while True:
            try:
                response = await self._inner.handle_async_request(attempts.request())
                if attempts.reads_ahead(response):
                    async with aclosing(response):
                        stream = cast(httpx2.AsyncByteStream, response.stream)
                        response = _read(response, b"".join([chunk async for chunk in stream]))
            except httpx2.TransportError as error:
                attempts.fail(error)
            else:
                if not attempts.goes_on_after(response):
                    return response
                await response.aclose()

    async def aclose(self) -> None:
        await self._inner.aclose()


def _read(response: httpx2.Response, body: bytes) -> httpx2.Response:
    """The same answer with the body that was read, as it came."""
    return httpx2.Response(
        response.status_code,
        headers=response.headers,
        stream=httpx2.ByteStream(body),
        extensions=response.extensions,
    )


class _Attempts:
    """One request's attempts, one for each provider."""

    def __init__(self, choosing: Choosing, request: httpx2.Request) -> None:
        self._choosing = choosing
        self._request = request
        self._tried: list[Provider] = []
        provider = choosing.choose(request.url.host)
        if provider is None:
            raise NoProviderError(f"No instance of {request.url.host} is offered at the moment.")
        self._provider = provider

    def request(self) -> httpx2.Request:
        """The request, addressed to the provider whose turn it is."""
        base = httpx2.URL(self._provider.url)
        url = base.copy_with(raw_path=base.raw_path.rstrip(b"/") + self._request.url.raw_path)
        headers = self._request.headers.copy()
        headers["Host"] = url.netloc.decode("ascii")
        return httpx2.Request(
            self._request.method,
            url,
            headers=headers,
            stream=self._request.stream,
            extensions=self._request.extensions,
        )

    def reads_ahead(self, response: httpx2.Response) -> bool:
        """Whether its body is to be read before it is handed on."""
        length = response.headers.get("Content-Length", "")
        return self._is_idempotent and length.isdecimal() and int(length) <= READ_AHEAD_BYTES

    def fail(self, error: httpx2.TransportError) -> None:
        """Try another provider next; raises the error where there is none, or where repeating could do harm."""
        if isinstance(error, httpx2.PoolTimeout | httpx2.LocalProtocolError | httpx2.UnsupportedProtocol):
            # Not the provider's fault.
            raise error
        was_never_sent = isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout)
        if not self._is_another_found(is_harmless=was_never_sent or self._is_idempotent):
            raise error

    def goes_on_after(self, response: httpx2.Response) -> bool:
        """Whether to try another provider; the last one's answer stands, whatever it is."""
        if response.status_code not in AWAY:
            self._choosing.report_success(self._provider)
            return False
        return self._is_another_found(is_harmless=self._is_idempotent)

    @property
    def _is_idempotent(self) -> bool:
        return self._request.method in IDEMPOTENT

    def _is_another_found(self, *, is_harmless: bool) -> bool:
        self._choosing.report_failure(self._provider)
        self._tried.append(self._provider)
        # A streamed body cannot be sent again.
        can_be_sent_again = is_harmless and isinstance(self._request.stream, httpx2.ByteStream)
        if not can_be_sent_again or len(self._tried) == MOST_ATTEMPTS:
            return False
        for _ in range(MOST_ATTEMPTS):
            provider = self._choosing.choose(self._request.url.host)
            if provider is not None and provider not in self._tried:
                self._provider = provider
                return True
        return False
