"""Django's SQLite backend, but it notices a file that is replaced while open: writes to it would be lost.

And no thread waits for another's connection: a cursor whose statement failed lives on in the traceback of its error, a
cycle, until garbage is collected, in whatever thread that is. There it resets its statement, for which it needs the
connection, which may wait for a lock just then: the event loop stood still for as long.
"""

import os
import sqlite3
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db import OperationalError
from django.db.backends.sqlite3 import base

_Identity = tuple[int, int] | None


class _Opened(NamedTuple):
    path: str
    file: _Identity
    log: _Identity


class Cursor(base.SQLiteCursorWrapper):
    """Closed when a statement of it fails: then it has no statement to reset."""

    def execute(self, query: str, params: Any = None) -> Any:
        try:
            return super().execute(query, params)
        except BaseException:
            self.close()
            raise

    def executemany(self, query: str, param_list: Iterable[Any]) -> Any:
        try:
            return super().executemany(query, param_list)
        except BaseException:
            self.close()
            raise


class DatabaseWrapper(base.DatabaseWrapper):
    """Checks its file whenever Django checks a connection: before each request and each task.

    A replaced file is opened anew. While there is none, or it lies beside the write-ahead log of the one before, with
    which SQLite would corrupt it, every query is refused; the open connection tells one log from the other.
    """

    _opened: _Opened | None = None
    _refusal = ""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        path = str(self.settings_dict["NAME"])
        # Identified before it is opened: replaced in between, it is opened once more.
        file = _identity(path)
        connection = super().get_new_connection(conn_params)
        self._opened, self._refusal = _Opened(path, file or _identity(path), _identity(_log(path))), ""
        return connection

    def close_if_unusable_or_obsolete(self) -> None:
        opened = self._opened
        if self.connection is not None and opened is not None:
            found = _identity(opened.path)
            self._refusal = ""
            if found is None:
                self._refusal = f"{opened.path} is gone: put one there, or stop the processes that use it."
            elif found != opened.file and opened.log is not None and _identity(_log(opened.path)) == opened.log:
                self._refusal = (
                    f"{opened.path} was replaced, but not what belongs to the one before: remove {_log(opened.path)}."
                )
            elif found != opened.file:
                self.close()
        super().close_if_unusable_or_obsolete()

    def create_cursor(self, name: str | None = None) -> Any:
        self._refuse_replaced()
        return self.connection.cursor(factory=Cursor)

    def checked(self) -> sqlite3.Connection:
        """The driver's connection, open, and asked about by all that Django asks before it executes a statement."""
        self.ensure_connection()
        self.validate_no_broken_transaction()
        self._refuse_replaced()
        driver: sqlite3.Connection = self.connection
        return driver

    def _refuse_replaced(self) -> None:
        if self._refusal:
            raise OperationalError(self._refusal)


def _log(path: str) -> str:
    return f"{path}-wal"


def _identity(path: str) -> _Identity:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
