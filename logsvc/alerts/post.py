"""Posts a webhook; each address that a name resolves to is judged when it is connected to."""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from config.networks import literal_address
from logsvc.alerts import addresses

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 5.0
# The whole exchange, even with a peer that sends a byte now and then.
WHOLE_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The receiver's answer; without one `status` is None and `error` says why."""

    status: int | None = None
    error: str = ""
    retry_after: str = ""


def post(url: str, body: bytes, headers: Mapping[str, str], *, allowed: Sequence[str]) -> Answer:
    """Post a webhook. Never raises, and follows no redirect."""
    try:
        scheme, host, port, target = addresses.check_url(url)
        address = addresses.choose(host, port, allowed=allowed)
    except ValueError as error:
        return Answer(error=str(error))
    except OSError as error:
        return Answer(error=f"{error.strerror or error}")
    connection, begun = _Connection(scheme, host, port, address), time.monotonic()
    timer: threading.Timer | None = None
    try:
        connection.connect()
        timer = threading.Timer(WHOLE_SECONDS, connection.sock.shutdown, [socket.SHUT_RDWR])
        timer.daemon = True
        timer.start()
        connection.request("POST", target, body, dict(headers))
        response = connection.getresponse()
        return Answer(status=response.status, retry_after=response.getheader("Retry-After") or "")
    except (OSError, http.client.HTTPException, ValueError) as error:
        if time.monotonic() - begun >= WHOLE_SECONDS:
            return Answer(error=f"no answer within {WHOLE_SECONDS:.0f} seconds")
        return Answer(error=f"{type(error).__name__}: {error}"[:300])
    finally:
        if timer is not None:
            timer.cancel()
        connection.close()


def refusal(url: str, *, allowed: Sequence[str]) -> str | None:
    """Say why a URL may not be called; None when it may. A host's name is judged only when it is called."""
    try:
        _, host, _, _ = addresses.check_url(url)
    except ValueError as error:
        return f"{str(error)[:1].upper()}{str(error)[1:]}."
    literal = literal_address(host)
    return None if literal is None else addresses.refusal(literal, allowed=allowed)


class _Connection(http.client.HTTPConnection):
    """Connects to the address that was judged, whatever the name resolves to by then."""

    def __init__(self, scheme: str, host: str, port: int, address: str) -> None:
        super().__init__(host, port, timeout=CONNECT_SECONDS)
        self._scheme = scheme
        self._address = address

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), CONNECT_SECONDS)
        plain.settimeout(ANSWER_SECONDS)
        self.sock = (
            ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)
            if self._scheme == "https"
            else plain
        )
