"""The caller of a request, by whom the threads that answer requests take turns."""

from collections.abc import MutableMapping
from typing import Any

from django.conf import settings

from config.headers import header
from config.tokens.gate import address_of
from config.turns import Caller


def caller_of(scope: MutableMapping[str, Any]) -> Caller:
    peer = (scope.get("client") or ("",))[0]
    address = address_of(peer, header(scope, b"x-forwarded-for").decode("latin-1"))
    return Caller(address, header(scope, b"authorization") or _session(scope))


def _session(scope: MutableMapping[str, Any]) -> bytes:
    wanted = settings.SESSION_COOKIE_NAME.encode() + b"="
    pairs = (pair.strip() for pair in header(scope, b"cookie").split(b";"))
    return next((pair for pair in pairs if pair.startswith(wanted)), b"")
