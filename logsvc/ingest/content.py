"""Decompresses a request's body, within the limit."""

import zlib

from config.problems import BodyTooLarge, Problem, UnsupportedMediaType

GZIP = frozenset({"gzip", "x-gzip"})
_NONE = frozenset({"", "identity"})


def check(encoding: str) -> None:
    """Raises UnsupportedMediaType."""
    if encoding.strip().lower() not in GZIP | _NONE:
        raise UnsupportedMediaType(f"The content encoding {encoding[:40]!r} is not taken: use gzip, or none.")


def decompress(body: bytes, *, encoding: str, limit_bytes: int) -> bytes:
    """Return the whole body. Raises BodyTooLarge as soon as it is known to be over the limit, compressed or not."""
    check(encoding)
    if encoding.strip().lower() not in GZIP:
        if len(body) > limit_bytes:
            raise BodyTooLarge(limit_bytes)
        return body
    parts: list[bytes] = []
    room = limit_bytes + 1
    # A gzip file may have several members; nothing beyond the limit is unpacked.
    while body or not parts:
        unpacker = zlib.decompressobj(wbits=31)
        try:
            part = unpacker.decompress(body, room)
        except zlib.error as error:
            raise Problem(f"The body is not gzip, as its Content-Encoding says: {error}.") from error
        parts.append(part)
        room -= len(part)
        if room <= 0:
            raise BodyTooLarge(limit_bytes)
        if not unpacker.eof:
            raise Problem("The body is not gzip, as its Content-Encoding says: it ends too soon.")
        body = unpacker.unused_data.lstrip(b"\0")
    return b"".join(parts)
