"""Secrets masked before they are shown: members by their name, and passwords in addresses."""

import re
from collections.abc import Mapping
from typing import Any

MASK = "********"
_SECRET_NAME = re.compile(
    r"secret|password|token(?!_(scopes|paths|limits))|passwd|api_?key|credential|private|dsn|(^|[._-])keys?$",
    re.IGNORECASE,
)
_PASSWORD_IN_URL = re.compile(r"(?<=://)([^/?#@\s:]*):[^/?#@\s]*@")
_SIGNING_SECRET = re.compile(r"whsec_\S+|rct_\S+")


def masked(value: Any, name: str = "") -> Any:
    """The same value with what is secret in it replaced; `name` is what holds it."""
    if isinstance(value, Mapping):
        return {key: masked(each, f"{name}.{key}") for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [masked(each, name) for each in value]
    if value and isinstance(value, str | bytes) and _SECRET_NAME.search(name):
        return MASK
    if isinstance(value, str):
        return _SIGNING_SECRET.sub(MASK, _PASSWORD_IN_URL.sub(rf"\1:{MASK}@", value))
    return value
