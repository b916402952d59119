"""The holders of tokens, as the database had them within the last second."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from django.db import close_old_connections

from config.tokens import authentication, issuing
from config.tokens.holder import Holder

# A revoked token is honoured for at most this long.
FRESH_SECONDS = 1.0
MOST_KNOWN = 5000

# Runs a function in a thread that may ask the database.
Run = Callable[[Callable[[], Any]], Awaitable[Any]]


class TokenCache:
    """Lives on one event loop."""

    def __init__(self, run: Run, clock: Callable[[], float] = time.monotonic) -> None:
        self._run = run
        self._clock = clock
        self._known: OrderedDict[str, tuple[Holder, float]] = OrderedDict()

    async def holder(self, header: str) -> Holder:
        """The holder of the token in an `Authorization` header. Raises Unauthenticated."""
        token = authentication.token_of(header)
        digest = issuing.digest(token)
        asked_at = self._clock()
        known = self._known.get(digest)
        if known is not None and asked_at - known[1] < FRESH_SECONDS:
            return known[0]
        holder: Holder = await self._run(partial(look_up, token))
        self._known[digest] = (holder, asked_at)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return holder


def look_up(token: str) -> Holder:
    """Look a token up as `issuing.holder` does, in a thread that may have lost its connection meanwhile."""
    close_old_connections()
    return issuing.holder(token)
