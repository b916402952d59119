"""Two transactions that overlap, without chance: the second begins in the midst of the first."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import get_ident
from typing import Any

import pytest
from django.db import connection

TIMEOUT_SECONDS = 30.0


class Other:
    """The act of another process, begun while a transaction of ours is open."""

    def __init__(self, threads: ThreadPoolExecutor, function: Callable[[], Any]) -> None:
        self._threads = threads
        self._function = function
        self._future: Future[Any] | None = None

    def begin(self) -> None:
        """Begin it once, and go on when it is over or waits for us."""
        if self._future is None:
            self._future = self._threads.submit(self._run)
            while not self._future.done() and not _is_waited_for():
                pass

    def result(self) -> Any:
        assert self._future is not None, "it was never begun"
        return self._future.result(timeout=TIMEOUT_SECONDS)

    def _run(self) -> Any:
        try:
            return self._function()
        finally:
            connection.close()


@contextmanager
def overlapping(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, function: Callable[[], Any], *, is_after: bool = False
) -> Iterator[Other]:
    """Begin `function` in another thread the first time that `module.name` is called here, before or after it is."""
    original = getattr(module, name)
    with ThreadPoolExecutor(1) as threads, monkeypatch.context() as patch:
        other = Other(threads, function)

        def stepped(*arguments: Any, **members: Any) -> Any:
            if not is_after:
                other.begin()
            outcome = original(*arguments, **members)
            if is_after:
                other.begin()
            return outcome

        patch.setattr(module, name, only_here(stepped, original))
        yield other


def only_here(stepped: Callable[..., Any], original: Callable[..., Any]) -> Callable[..., Any]:
    here = get_ident()
    return lambda *arguments, **members: (stepped if get_ident() == here else original)(*arguments, **members)


def _is_waited_for() -> bool:
    """Whether another transaction waits for one of our locks; SQLite lets it begin when ours is over."""
    if connection.vendor == "sqlite":
        return True
    with connection.cursor() as cursor:
        # Not pg_stat_activity, of which a transaction goes on seeing what it first saw.
        cursor.execute("SELECT pid FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))")
        return cursor.fetchone() is not None
