"""A request's body as it was before compression, within the limit."""

import gzip
import zlib
from typing import BinaryIO

from config.problems import BodyTooLarge, Problem, UnsupportedMediaType


def read(stream: BinaryIO, *, encoding: str, limit_bytes: int) -> bytes:
    """The whole body. Raises BodyTooLarge as soon as it is known to be over the limit, compressed or not."""
    match encoding.strip().lower():
        case "" | "identity":
            body = stream.read(limit_bytes + 1)
        case "gzip" | "x-gzip":
            body = _unzipped(stream, limit_bytes + 1)
        case _:
            raise UnsupportedMediaType(f"The content encoding {encoding[:40]!r} is not taken: use gzip, or none.")
    if len(body) > limit_bytes:
        raise BodyTooLarge(limit_bytes)
    return body


def _unzipped(stream: BinaryIO, at_most: int) -> bytes:
    try:
        with gzip.GzipFile(fileobj=stream) as file:
            return file.read(at_most)
    except (OSError, EOFError, zlib.error) as error:
        raise Problem(f"The body is not gzip, as its Content-Encoding says: {error}.") from error
