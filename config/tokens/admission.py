"""Checks whose bodies are read, before any of the body is."""

import time
from collections import OrderedDict
from collections.abc import Callable, MutableMapping
from functools import partial
from typing import Any

from django.conf import settings
from django.db import close_old_connections

from config.headers import header
from config.problems import Unauthenticated
from config.threads import Threads
from config.tokens import authentication, issuing

# A valid token is not looked up again for so long; the view checks it in any case.
FRESH_SECONDS = 1.0
MOST_KNOWN = 5000


class Admission:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._threads = Threads(1, at_once=8)
        self._known: OrderedDict[str, float] = OrderedDict()

    async def __call__(self, scope: MutableMapping[str, Any]) -> bool:
        """Whether the request carries a valid token. Raises Unauthenticated when it does not and settings.TOKEN_PATHS
        requires one; elsewhere the header may be a proxy's, and is ignored."""
        if not scope["path"].startswith(tuple(settings.TOKEN_PATHS)):
            return False
        authorization = header(scope, b"authorization").decode("latin-1")
        if not authorization:
            raise Unauthenticated("Send the header `Authorization: Bearer <token>`.")
        token = authentication.token_of(authorization)
        digest = issuing.digest(token)
        now = self._clock()
        if now - self._known.get(digest, -FRESH_SECONDS) >= FRESH_SECONDS:
            await self._threads.run(partial(_look_up, token))
            self._known[digest] = now
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        return True


def _look_up(token: str) -> None:
    close_old_connections()
    issuing.holder(token)
