"""An exchange's request and outcome."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Self

from registry.outbound import urls

USER_AGENT = "rollcall-registry"
_DEFAULT_HEADERS = (("user-agent", USER_AGENT), ("accept", "*/*"))
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FIELD_VALUE = re.compile(r"[\t -~\x80-\xff]*")


class Error(StrEnum):
    """The reason why there is no complete answer."""

    BAD_URL = "bad_url"
    REFUSED_ADDRESS = "refused_address"
    RESOLVE_FAILED = "resolve_failed"
    CONNECTION_REFUSED = "connection_refused"
    CONNECT_FAILED = "connect_failed"
    CONNECT_TIMEOUT = "connect_timeout"
    TLS_FAILED = "tls_failed"
    TIMEOUT = "timeout"
    RESET = "reset"
    CLOSED_EARLY = "closed_early"
    MALFORMED = "malformed"
    TOO_LARGE_HEADERS = "too_large_headers"
    LOCAL_LIMIT = "local_limit"
    CLIENT_CLOSED = "client_closed"

    @property
    def is_ours(self) -> bool:
        """Whether the fault is ours and says nothing about the peer."""
        return self in (Error.LOCAL_LIMIT, Error.CLIENT_CLOSED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeouts:
    """Limits in seconds. The first three bound a phase each, `total` all of it, a second connection's try included."""

    resolve: float = 2.0
    connect: float = 2.0
    first_byte: float = 5.0
    total: float = 10.0

    @classmethod
    def within(cls, seconds: float) -> Self:
        """One limit for everything."""
        return cls(resolve=seconds, connect=seconds, first_byte=seconds, total=seconds)


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request; reusing the object is cheapest. Raises ValueError for what would not be one HTTP message."""

    method: str = "GET"
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    timeouts: Timeouts = Timeouts()
    # How much of the answer's body is kept.
    max_body_bytes: int = 1024
    keep_alive: bool = True
    # Where a kept connection gives no byte for half its time, ask a second time on a new one: a firewall between may
    # have forgotten the old one. Only for what may be asked twice.
    asks_again: bool = False

    def __post_init__(self) -> None:
        if not _TOKEN.fullmatch(self.method):
            raise ValueError(f"{self.method!r} is no HTTP method.")
        for name, value in self.headers:
            if not (_TOKEN.fullmatch(name) and _FIELD_VALUE.fullmatch(value)):
                raise ValueError(f"The header {name!r} has a name or a value that HTTP does not allow.")

    @cached_property
    def target(self) -> urls.Target:
        """Raises ValueError with a sentence when the URL cannot be called."""
        return urls.parse(self.url)

    @cached_property
    def encoded(self) -> bytes:
        given = {name.lower() for name, _ in self.headers}
        headers = [(name, value) for name, value in _DEFAULT_HEADERS if name not in given]
        if self.body or self.method in ("POST", "PUT", "PATCH"):
            headers.append(("content-length", str(len(self.body))))
        if not self.keep_alive:
            headers.append(("connection", "close"))
        lines = "".join(f"{name}: {value}\r\n" for name, value in (*headers, *self.headers))
        return b"".join((self.method.encode("ascii"), self.target.opening, lines.encode("latin-1"), b"\r\n", self.body))


@dataclass(kw_only=True, slots=True)
class Outcome:
    """The outcome of a request or a TCP probe.

    `error` is None exactly when a whole answer came (or, for a TCP probe, when the connection opened). `status` is
    there as soon as the answer's head was, also beside an error. `detail` is one sentence for people.
    """

    status: int | None = None
    error: Error | None = None
    detail: str = ""
    head: bytes = b""
    body: bytes = b""
    latency_ms: float = 0.0
    # Whether it came over a connection that an earlier exchange had left open.
    reused: bool = False

    @property
    def is_success(self) -> bool:
        """A 2xx answer, or an opened connection."""
        return self.error is None and (self.status is None or 200 <= self.status < 300)

    def header(self, name: str) -> str | None:
        """The first header of that name, looked for only when asked: most answers' headers are never read."""
        return find_header(self.head, name)


def find_header(head: bytes, name: str) -> str | None:
    wanted = name.lower().encode("latin-1")
    for line in final_head(head).split(b"\r\n")[1:]:
        field, colon, value = line.partition(b":")
        if colon and field.strip().lower() == wanted:
            return value.strip().decode("latin-1")
    return None


def final_head(received: bytes) -> bytes:
    """The head of the final answer, without the interim (1xx) ones before it and the body after it."""
    rest = received.lstrip(b"\r\n")
    while True:
        head, _, rest = rest.partition(b"\r\n\r\n")
        if not rest or head[9:10] != b"1":
            return head
        rest = rest.lstrip(b"\r\n")
