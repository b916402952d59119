"""The holders of tokens, as the database had them within the last second."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial

from config.tokens import authentication, issuing
from config.tokens.issuing import Holder
from registry.discovery.waiters import Belfry, Bell, Cause

# A revoked token is honoured for at most this long.
FRESH_SECONDS = 1.0
# Not checked again before: a look at the journal for each of a thousand changes a second needs no look at the tokens.
RECENT_SECONDS = 0.25
# A token that was not used for this long is no longer checked.
IDLE_SECONDS = 30.0
# Tokens beyond this number are looked up at each use.
MOST = 5000


@dataclass(kw_only=True, slots=True)
class _Known:
    holder: Holder
    checked_at: float
    used_at: float


class Holders:
    """Lives on one event loop; times are the loop's. `run` runs a function that reads the database."""

    def __init__(self, run: Callable[[Callable[[], Holder]], Awaitable[Holder]]) -> None:
        self._run = run
        self.recent_seconds = RECENT_SECONDS
        self._known: dict[str, _Known] = {}
        self._waiting: Belfry[str] = Belfry()

    async def of(self, header: str, *, now: float) -> Holder:
        """The holder of the token in an `Authorization` header. Raises Unauthenticated."""
        digest = token_digest(header)
        known = self.known(digest, now=now)
        if known is not None:
            return known
        holder = await self._run(partial(issuing.holder, authentication.token_of(header)))
        if len(self._known) < MOST:
            self._known[digest] = _Known(holder=holder, checked_at=now, used_at=now)
        return holder

    def known(self, digest: str, *, now: float) -> Holder | None:
        """The holder of the token with that digest, where the database need not be asked."""
        known = self._known.get(digest)
        if known is None or now - known.checked_at >= FRESH_SECONDS:
            return None
        known.used_at = now
        return known.holder

    def due(self, *, now: float) -> list[str]:
        """The digests to check again: of tokens used lately, and of requests that wait."""
        recent = {digest for digest, known in self._known.items() if now - known.checked_at < self.recent_seconds}
        lately = (digest for digest, known in self._known.items() if now - known.used_at < IDLE_SECONDS)
        return list({*self._waiting.keys(), *lately} - recent)

    def refresh(self, found: dict[str, Holder], asked: Iterable[str], *, looked_at: float) -> None:
        """Apply a check that began at `looked_at`: keep the tokens it `found`, drop the others it `asked` for."""
        for digest in asked:
            holder = found.get(digest)
            if holder is None:
                self._known.pop(digest, None)
                self._waiting.ring(digest, Cause.TOKEN_REVOKED)
            elif digest in self._known:
                self._known[digest].holder = holder
                self._known[digest].checked_at = looked_at
        for digest in [digest for digest, known in self._known.items() if looked_at - known.used_at >= IDLE_SECONDS]:
            del self._known[digest]

    def wait(self, bell: Bell, header: str) -> None:
        """Ring the bell when the token is revoked."""
        self._waiting.hang(bell, [token_digest(header)])

    def forget(self, bell: Bell, header: str) -> None:
        self._waiting.take_down(bell, [token_digest(header)])


def token_digest(header: str) -> str:
    """The digest of the token in an `Authorization` header. Raises Unauthenticated when it carries none."""
    return issuing.digest(authentication.token_of(header))
