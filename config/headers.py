"""The headers of a request, as ASGI passes them on."""

from collections.abc import Mapping
from typing import Any


def header(scope: Mapping[str, Any], name: bytes) -> bytes:
    """The value of a header, empty where it is not sent.

    Sent several times it is one list (RFC 9110, section 5.3), which what takes a single value, such as Authorization,
    refuses at every address alike.
    """
    values = [value for key, value in scope["headers"] if key == name]
    return values[0] if len(values) == 1 else b", ".join(values)
