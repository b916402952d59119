"""Decides by the token whether a body is read, before any of it is."""

import time
from collections.abc import Callable, MutableMapping
from typing import Any

from django.conf import settings

from config.headers import header
from config.problems import Unauthenticated
from config.threads import Threads
from config.tokens.token_cache import TokenCache


class Admission:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        # The view checks a token in any case.
        self._tokens = TokenCache(Threads(1, at_once=8).run, clock)

    async def __call__(self, scope: MutableMapping[str, Any]) -> bool:
        """Whether the request carries a valid token. Raises Unauthenticated when it does not and settings.TOKEN_PATHS
        requires one; elsewhere the header may be a proxy's, and is ignored."""
        if not scope["path"].startswith(tuple(settings.TOKEN_PATHS)):
            return False
        authorization = header(scope, b"authorization").decode("latin-1")
        if not authorization:
            raise Unauthenticated("Send the header `Authorization: Bearer <token>`.")
        await self._tokens.holder(authorization)
        return True
