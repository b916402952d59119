"""The registry's calls, for plain code."""

import encodings.idna  # noqa: F401 -- see `prepare`: looking up an address needs it
from functools import cached_property
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import httpx2

from . import calls, wire

T = TypeVar("T")
DEFAULT_TIMEOUT_SECONDS = 5.0


class Connection:
    """A client of the registry at `url`, with `token`. Safe to share between threads; `transport` is a seam for tests.

    A method that fails raises a RollcallError, which says whether to retry; one that waits longer
    than `timeout` seconds for a connection or the next byte fails. Raises ValueError for a malformed `url` or `token`.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout: float = DEFAULT_TIMEOUT_SECONDS,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self.url = checked_url(url)
        self._token = checked_token(token)
        self._timeout = timeout
        self._transport = transport
        self._answers = calls.Answers()

    def register(self, registration: wire.Registration) -> wire.Registered:
        """Register or update; idempotent. The answer holds the instance's providers as they stand."""
        self._answers.forget()
        return self._send(calls.register(registration))

    def deregister(self, service: str, instance: str, *, incarnation: str | None = None) -> None:
        """Deregister; idempotent. With an `incarnation` only that run's registration is removed."""
        self._send(calls.deregister(service, instance, incarnation=incarnation))

    def drain(self, service: str, instance: str, *, seconds: float, reason: str = "") -> wire.Instance:
        """Stop being offered while still serving; deregistered after `seconds`."""
        return self._send(calls.drain(service, instance, seconds=seconds, reason=reason))

    def beat(self, service: str, instance: str, *, status: str | None = None, reason: str = "") -> None:
        """Beat for a `ttl` instance; `status="critical"` reports a failure. On NotFoundError register again."""
        self._send(calls.beat(service, instance, status=status, reason=reason))

    def instance(self, service: str, instance: str) -> wire.Instance:
        """One instance as it is registered. Raises NotFoundError."""
        return self._send(calls.instance(service, instance))

    def instances(
        self,
        service: str,
        *,
        status: str | None = None,
        tag: str | None = None,
        zone: str | None = None,
        after: int | None = None,
        wait_seconds: float = 0.0,
    ) -> wire.InstanceList:
        """List a service's instances; with `after` and `wait_seconds`, wait until it changes or the time is over."""
        call = calls.instances(service, status=status, tag=tag, zone=zone, after=after, wait_seconds=wait_seconds)
        return self._send(call)

    def providers(
        self, service: str, instance: str, *, after: int | None = None, wait_seconds: float = 0.0
    ) -> wire.Resolution:
        """The providers that this instance requires; `after` and `wait_seconds` as above.

        Raises NotFoundError when the registry does not know the instance: register again.
        """
        return self._send(calls.providers(service, instance, after=after, wait_seconds=wait_seconds))

    def services(self) -> wire.ServiceList:
        return self._send(calls.services())

    def close(self) -> None:
        """Close open connections; a later call opens new ones."""
        client = self.__dict__.pop("_client", None)
        if client is not None:
            client.close()

    def prepare(self) -> None:
        """Prepare for calls from another thread.

        What a thread is importing when its process forks can never be imported in the child, and while it reads
        certificates, OpenSSL is locked: for ever in the child, whose first `hmac` or `hashlib` would hang.
        """
        _ = self._client

    def forget_connections(self) -> None:
        """Drop the connections in a forked child: they are its parent's."""
        self.__dict__.pop("_client", None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Made at the first call, as it may read the system's certificates.
    @cached_property
    def _client(self) -> httpx2.Client:
        return httpx2.Client(**client_arguments(self.url, self._token, self._timeout), transport=self._transport)

    def _send(self, call: calls.Call[T]) -> T:
        try:
            response = self._client.send(self._answers.request(self._client, call))
        except httpx2.RequestError as error:
            raise calls.unreachable(self.url, error) from error
        return self._answers.result(call, response)


def checked_url(url: str) -> str:
    """Raises ValueError: better at start than at the first call, in some thread."""
    try:
        # Each of the two parsers accepts what the other refuses.
        parts, port = httpx2.URL(url), urlsplit(url).port
        # A host that no resolver takes raises no error of httpx2's at the call.
        parts.raw_host.decode().encode("idna")
    except (ValueError, httpx2.InvalidURL) as error:
        raise ValueError(f"The address {url!r} is no URL: {error}.") from error
    if parts.scheme not in ("http", "https") or not parts.host or port == 0:
        raise ValueError(f"The address {url!r} is no URL such as http://host:port.")
    return url.rstrip("/")


def checked_token(token: str) -> str:
    # A token read from a file ends in a newline.
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError("The token is empty, or holds characters that none has: it is what create_token printed.")
    return token


def client_arguments(url: str, token: str, timeout: float) -> dict[str, Any]:
    return {
        "base_url": url,
        "headers": {"Authorization": f"Bearer {token}"},
        "timeout": timeout,
        # Reading the certificates takes longer than all else here; a redirect, which could need them, is not followed.
        "verify": url.startswith("https:"),
        # The registry is nearby: the environment's proxies are for other addresses.
        "trust_env": False,
    }
