"""Decoders of msgspec's, each made by one thread at a time.

msgspec works out a type when it first meets it, and shows what is half done to other threads: one that decodes the same
type just then ends the process (a segmentation fault in DataclassInfo_post_decode, in a service that had just begun).
"""

import threading
from functools import cache
from typing import Any, TypeVar

import msgspec

Shape = TypeVar("Shape")

_making = threading.Lock()


def decoder(kind: type[Shape]) -> msgspec.json.Decoder[Shape]:
    """The decoder of JSON to this type; before another use of a type by several threads, call it as well."""
    hashable: Any = kind
    made: msgspec.json.Decoder[Shape] = _decoder(hashable)
    return made


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    with _making:
        return msgspec.json.Decoder(kind)
