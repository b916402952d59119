"""Parses one answer as it arrives: strictly, keeping little, and cut off where it grows without end."""

import httptools

from registry.outbound.types import Error, final_head, find_header

MAX_HEAD_BYTES = 16 * 1024
MAX_HEADERS = 100
# A head this short cannot hold too many headers, and most heads are shorter.
_SHORT_HEAD_BYTES = MAX_HEADERS * len(b"a:\r\n")
# The most that is read of one answer, chunk sizes and trailers included; then the connection is closed.
MAX_READ_BYTES = 256 * 1024


class BrokenAnswerError(Exception):
    def __init__(self, error: Error, detail: str) -> None:
        super().__init__(detail)
        self.error = error
        self.detail = detail


class Answer:
    """One connection's answers, one after the other: `begin` resets it.

    Headers stay unparsed, as hardly any caller reads one. Data after the end of the answer makes the connection unfit
    for another exchange.
    """

    __slots__ = (
        "_is_head_only",
        "_is_spoiled",
        "_max_body_bytes",
        "_parser",
        "body",
        "head",
        "is_complete",
        "is_lasting",
        "received",
        "status",
    )

    def __init__(self) -> None:
        self._parser: httptools.HttpResponseParser | None = None
        self.head = self.body = b""
        self.received = 0
        self.status: int | None = None

    def begin(self, *, is_head_only: bool, max_body_bytes: int) -> None:
        """`is_head_only` for the answer to a HEAD, which describes a body and has none."""
        if self._parser is None:
            self._parser = httptools.HttpResponseParser(self)
        self._is_head_only = is_head_only
        self._is_spoiled = False
        self._max_body_bytes = max_body_bytes
        self.head = self.body = b""
        self.received = 0
        self.status = None
        self.is_complete = False
        self.is_lasting = False

    def release(self) -> None:
        """The parser holds this object's methods: a cycle that would wait for the garbage collector."""
        self._parser = None

    @property
    def leaves_connection_fit(self) -> bool:
        return self.is_lasting and not self._is_spoiled

    def feed(self, data: bytes) -> bool:
        """Parse more data; returns whether the answer is over. Raises BrokenAnswerError."""
        self.received += len(data)
        if self.status is None:
            self.head = self.head + data if self.head else data
        assert self._parser is not None
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.is_complete = self._is_spoiled = True
        except httptools.HttpParserError as error:
            self._is_spoiled = True
            if not self.is_complete:
                raise BrokenAnswerError(
                    Error.MALFORMED, f"did not answer in HTTP: {error.__context__ or error}"
                ) from error
        if self.received > _SHORT_HEAD_BYTES:
            if self.status is not None:
                self.head = final_head(self.head)
            if len(self.head) > MAX_HEAD_BYTES or self.head.count(b"\r\n") > MAX_HEADERS:
                limits = f"{MAX_HEAD_BYTES} bytes or {MAX_HEADERS} lines"
                raise BrokenAnswerError(Error.TOO_LARGE_HEADERS, f"sent more headers than {limits}")
        if not self.is_complete and self.received > MAX_READ_BYTES:
            self._is_spoiled = True
            return True
        return self.is_complete

    def ends_with_connection(self) -> bool:
        """Whether the body is one that goes on until the peer closes (RFC 9112, section 6.3)."""
        if self.status is None:
            return False
        self._is_spoiled = True
        coding = find_header(self.head, "transfer-encoding")
        if coding is not None:
            return not coding.lower().endswith("chunked")
        return find_header(self.head, "content-length") is None

    # Called by the parser.

    def on_message_begin(self) -> None:
        if self.is_complete:
            self._is_spoiled = True

    def on_headers_complete(self) -> None:
        assert self._parser is not None
        status = self._parser.get_status_code()
        # Interim answers (1xx) precede the one that counts, except that nobody here asks to switch protocols.
        if self.is_complete or (status < 200 and status != 101):
            return
        if not self.head.startswith(b"HTTP/1.") and not final_head(self.head).startswith(b"HTTP/1."):
            raise ValueError("it is neither HTTP/1.0 nor HTTP/1.1")
        self.status = status
        if self._is_head_only:
            self.on_message_complete()
            # It would expect the body.
            self._parser = None

    def on_body(self, chunk: bytes) -> None:
        if self.is_complete:
            self._is_spoiled = True
        room = self._max_body_bytes - len(self.body)
        if room > 0 and not self.is_complete:
            self.body += chunk[:room]

    def on_message_complete(self) -> None:
        if self.status is not None and not self.is_complete and self._parser is not None:
            self.is_complete = True
            # Now, as the parser forgets it.
            self.is_lasting = self._parser.should_keep_alive()
