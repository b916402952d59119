"""Recognizes repeated requests, such as those of a client that polls, by their bytes."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from uvicorn.server import ServerState

from config.http.encoding import encode
from config.problems import RawResponse

# Requests that are recognized by their bytes, the longest of them, and the longest answer that is kept for one.
MOST_RECOGNIZED = 512
MOST_RECOGNIZED_BYTES = 2048
MOST_KEPT_BYTES = 8192


# What the clients of one token may leave unread in a process. Large answers that nobody reads would fill the memory of
# the machine: each is kept until its client has been silent for long enough to be cut off.
MOST_UNREAD_BYTES = 256 * 1024 * 1024


class Recognized:
    """A request that was answered at once, which is not parsed again when the same bytes come, and its last answer."""

    __slots__ = ("_date", "_encoded", "_response", "scope", "token")

    def __init__(self, scope: Any) -> None:
        # The same bytes may come from any client.
        self.scope = {**scope, "client": None, "server": None}
        self.token = token_of(scope["headers"])
        self._response: RawResponse | None = None
        self._date: Any = None
        self._encoded = b""

    def encode(self, response: RawResponse, date: Any) -> bytes:
        """The whole answer but for the rest of its body; `date` are the headers that each has."""
        if response is self._response and date is self._date:
            return self._encoded
        encoded = encode(response, date, keep_alive=True)
        if len(encoded) <= MOST_KEPT_BYTES and not response.rest:
            self._response, self._date, self._encoded = response, date, encoded
        return encoded


class State(ServerState):
    """The state that the connections of a server share."""

    def __init__(self) -> None:
        super().__init__()
        self.recognized: dict[bytes, Recognized] = {}
        # What the clients of each token have yet to read, of answers that the system has not taken from us.
        self.unread: Counter[bytes] = Counter()
        self.most_unread_bytes = MOST_UNREAD_BYTES

    def recognize(self, data: bytes, scope: Any) -> None:
        if len(data) <= MOST_RECOGNIZED_BYTES:
            while len(self.recognized) >= MOST_RECOGNIZED:
                # The oldest: one in use comes back with its next request.
                del self.recognized[next(iter(self.recognized))]
            self.recognized[data] = Recognized(scope)

    def note_unread(self, token: bytes, more: int) -> None:
        self.unread[token] += more
        if not self.unread[token]:
            del self.unread[token]

    def is_glutted(self, token: bytes) -> bool:
        """Whether the clients of this token leave too much unread."""
        return bool(self.unread) and self.unread[token] > self.most_unread_bytes


def token_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The token of a request, as it was sent; empty where it has none."""
    return next((value.partition(b" ")[2].strip() for name, value in headers if name == b"authorization"), b"")
