"""The bytes of answers."""

from collections.abc import Iterable
from http import HTTPStatus

from config.problems import RawResponse

# Statuses that never have a body, nor its length.
WITHOUT_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
LENGTH = b"content-length"
_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}


def head(status: int, headers: Iterable[tuple[bytes, bytes]], *, keep_alive: bool) -> bytes:
    """The bytes before an answer's body. Raises RuntimeError for a header that would begin another line."""
    is_without_body = status in WITHOUT_BODY
    lines = [b"%b: %b" % header for header in headers if not (is_without_body and header[0] == LENGTH)]
    if not keep_alive:
        lines.append(b"connection: close")
    text = b"\r\n".join(lines)
    if text.count(b"\n") != len(lines) - 1 or text.count(b"\r") != len(lines) - 1 or b"\0" in text:
        raise RuntimeError("a header of an answer holds the end of a line")
    return b"%b%b\r\n\r\n" % (_STATUS_LINES[status], text)


def encode(response: RawResponse, date: Iterable[tuple[bytes, bytes]], *, keep_alive: bool) -> bytes:
    """The whole answer but for the rest of its body."""
    length = (b"content-length", b"%d" % response.length)
    return head(response.status, (*date, *response.headers, length), keep_alive=keep_alive) + response.body
