"""Resolves host names to addresses."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from time import monotonic

# Short, so that a moved address is noticed, and long enough that a sweep resolves each host once.
CACHE_SECONDS = 2.0
MAX_CACHED = 10_000
MAX_LOOKUPS = 64
MAX_ADDRESSES = 8


def addresses(host: str) -> list[str]:
    """The addresses of a name, as the system resolves it. Raises OSError."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


class Resolver:
    """Asks the system's resolver, in threads of its own.

    A handful of names whose servers do not answer would occupy all of the event loop's own threads. These are daemons,
    so that such a name does not hold up the end of the process either.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        look_up: Callable[[str], list[str]] = addresses,
        cache_seconds: float = CACHE_SECONDS,
    ) -> None:
        self._loop = loop
        self._look_up_now = look_up
        self._cache_seconds = cache_seconds
        self._slots = asyncio.Semaphore(MAX_LOOKUPS)
        self._known: dict[str, tuple[float, list[str]]] = {}
        self._lookups: dict[str, asyncio.Task[list[str]]] = {}

    def recall(self, host: str) -> list[str] | None:
        """The addresses of `host` if they are cached."""
        known = self._known.get(host)
        return known[1] if known and known[0] > monotonic() else None

    async def resolve(self, host: str) -> list[str]:
        """The addresses of `host`; raises OSError."""
        # Concurrent callers share one lookup, and cancelling one does not end it for the others.
        lookup = self._lookups.get(host)
        if lookup is None:
            lookup = self._lookups[host] = self._loop.create_task(self._look_up(host))
            lookup.add_done_callback(lambda done: self._end_lookup(host, done))
        return await asyncio.shield(lookup)

    def stop(self) -> None:
        for lookup in self._lookups.values():
            lookup.cancel()

    def _end_lookup(self, host: str, done: asyncio.Task[list[str]]) -> None:
        self._lookups.pop(host, None)
        if done.cancelled() or done.exception() is not None:
            return
        if len(self._known) >= MAX_CACHED:
            self._known.clear()
        self._known[host] = (monotonic() + self._cache_seconds, done.result())

    async def _look_up(self, host: str) -> list[str]:
        async with self._slots:
            answer: asyncio.Future[list[str]] = self._loop.create_future()
            threading.Thread(target=self._ask, args=(host, answer), daemon=True, name=f"resolve {host}").start()
            return await answer

    def _ask(self, host: str, answer: "asyncio.Future[list[str]]") -> None:
        try:
            found = self._look_up_now(host)
        except (OSError, UnicodeError) as error:
            failure = error if isinstance(error, OSError) else OSError(str(error))
            self._call(_settle, answer, None, failure)
        else:
            self._call(_settle, answer, list(dict.fromkeys(found))[:MAX_ADDRESSES], None)

    def _call(self, function: Callable[..., object], *arguments: object) -> None:
        # The loop may have been closed during the lookup.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, *arguments)


def _settle(answer: "asyncio.Future[list[str]]", found: list[str] | None, error: OSError | None) -> None:
    if answer.done():
        return
    if error is not None:
        answer.set_exception(error)
    else:
        answer.set_result(found or [])
