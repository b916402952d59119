"""Wakes requests that wait."""

import asyncio
import enum
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Cause(enum.Enum):
    CHANGED = "changed"
    TIME_OVER = "time over"
    CLIENT_GONE = "client gone"
    TOKEN_REVOKED = "token revoked"  # noqa: S105 -- no secret


class Bell:
    """Rings once, for whichever cause comes first."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rung: asyncio.Future[Cause] = self._loop.create_future()

    def ring(self, cause: Cause) -> None:
        if not self._rung.done():
            self._rung.set_result(cause)

    async def rung(self, *, within_seconds: float) -> Cause:
        timer = self._loop.call_later(within_seconds, self.ring, Cause.TIME_OVER)
        try:
            return await self._rung
        finally:
            timer.cancel()


class Belfry(Generic[Key]):
    """Waiting bells, each under one or more keys."""

    def __init__(self) -> None:
        self._bells: dict[Key, set[Bell]] = {}

    def hang(self, bell: Bell, keys: Iterable[Key]) -> None:
        for key in keys:
            self._bells.setdefault(key, set()).add(bell)

    def take_down(self, bell: Bell, keys: Iterable[Key]) -> None:
        for key in keys:
            waiting = self._bells.get(key, set())
            waiting.discard(bell)
            if not waiting:
                self._bells.pop(key, None)

    def ring(self, key: Key, cause: Cause) -> None:
        for bell in self._bells.get(key, ()):
            bell.ring(cause)

    def keys(self) -> list[Key]:
        return list(self._bells)
