"""PostgreSQL as Django has it, but for a connection that has gone silent: psycopg waits for ever for its answer.

So it is when a firewall or a proxy has dropped the connection without a word, or a host is gone: TCP's own keepalive
does not help where something in between acknowledges it.

The server knows nothing of that either. It keeps the session of such a connection, and with it the locks of its
transaction: sessions that were cut off for a moment lock out all others one after the other, and add up to as many as
there may be. The next connection ends the session of the one before it.
"""

import math
import secrets
import time
from collections.abc import Generator
from types import SimpleNamespace
from typing import Any, ClassVar, TypeVar, cast

import psycopg
from django.db.backends.postgresql import base
from psycopg.abc import PQGen

# A statement that takes longer is checked through another connection, and again while it is at work: one that was cut
# off while it waited for a lock gets that lock, and keeps it from all others until this is noticed.
FIRST_LOOK_SECONDS = 3.0
LONGEST_LOOK_SECONDS = 5.0
# The first check comes sooner if another connection of this process was dropped since this one last answered.
DOUBTED_LOOK_SECONDS = 0.3
# How long the other connection may take to be made, and to answer.
CONNECTING_SECONDS = 2
ASKING_SECONDS = 2.0
# How long an answer may be under way from a server that was found idle.
SECOND_LOOK_SECONDS = 0.5

# Not if the server waits until we read while we wait until we can write.
_IS_AT_WORK = """
    SELECT state = 'active' AND wait_event IS DISTINCT FROM 'ClientWrite' FROM pg_stat_activity WHERE pid = %s
"""

# By a name that no other session has: behind a pooler a process id may be another's. Its end is waited for.
_END = """
    SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity
    WHERE application_name = ANY(%s) AND usename = current_user AND pid <> pg_backend_pid()
"""
# PostgreSQL cuts off what is longer.
LONGEST_NAME = 63

Value = TypeVar("Value")


class BriefConnection(psycopg.Connection[Any]):
    """Waits for nothing longer than a moment."""

    def wait(self, gen: PQGen[Value], interval: float = 0.1, timeout: float | None = None) -> Value:
        return super().wait(gen, interval, ASKING_SECONDS if timeout is None else timeout)


class WatchfulConnection(psycopg.Connection[Any]):
    """While it waits for long it asks, on another connection, whether the server is at work for it still."""

    parameters: dict[str, Any]
    was_dropped = False
    # By the monotonic clock: when this one was last heard of, and when any of the process was last found to be dropped.
    heard_at = -math.inf
    dropped_at: ClassVar[float] = -math.inf

    def wait(self, gen: PQGen[Value], interval: float = 0.1, timeout: float | None = None) -> Value:
        return super().wait(self._watched(gen), interval, timeout)

    def _watched(self, gen: PQGen[Value]) -> Generator[Any, Any, Value]:
        """The generator of psycopg's, which is resumed without readiness while nothing comes."""
        is_doubted = self.heard_at < WatchfulConnection.dropped_at
        pause_seconds, is_suspicious = DOUBTED_LOOK_SECONDS if is_doubted else FIRST_LOOK_SECONDS, False
        look_at = time.monotonic() + pause_seconds
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() >= look_at:
                    if self.is_served():
                        pause_seconds, is_suspicious = min(2 * pause_seconds, LONGEST_LOOK_SECONDS), False
                    elif is_suspicious:
                        self.was_dropped, WatchfulConnection.dropped_at = True, time.monotonic()
                        self.close()
                        raise psycopg.OperationalError(
                            "the connection is silent, and the server is not at work for it: it was dropped on the way"
                        )
                    else:
                        is_suspicious = True
                    look_at = time.monotonic() + (SECOND_LOOK_SECONDS if is_suspicious else pause_seconds)
                wanted = gen.send(ready)
        except StopIteration as end:
            self.heard_at = time.monotonic()
            value: Value = end.value
            return value

    def is_served(self) -> bool:
        """Whether the server has a statement of this connection under way."""
        parameters = getattr(self, "parameters", None)
        if parameters is None:
            # While it is set up.
            return True
        try:
            with BriefConnection.connect(**parameters, connect_timeout=CONNECTING_SECONDS, autocommit=True) as other:
                row = other.execute(_IS_AT_WORK, [self.info.backend_pid]).fetchone()
        except psycopg.Error as error:
            # A server that refuses a connection, since it has too many, is there.
            return "FATAL" in str(error)
        return row is not None and bool(row[0])


class DatabaseWrapper(base.DatabaseWrapper):
    # Django asks the module for a connection.
    Database = cast(Any, SimpleNamespace(**{**vars(psycopg), "connect": WatchfulConnection.connect}))

    def __init__(self, *arguments: Any, **members: Any) -> None:
        super().__init__(*arguments, **members)
        self._opened: WatchfulConnection | None = None
        self._opened_name = ""
        # The names of the sessions that are to be ended.
        self._abandoned: list[str] = []

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        if getattr(self._opened, "was_dropped", False):
            self._abandoned.append(self._opened_name)
            self._opened = None
        unique = secrets.token_hex(8)
        name = f"{conn_params.get('application_name', 'rollcall')[: LONGEST_NAME - len(unique) - 1]}-{unique}"
        connection = super().get_new_connection({**conn_params, "application_name": name})
        names = ("dbname", "user", "password", "host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey", "service")
        connection.parameters = {name: conn_params[name] for name in names if name in conn_params}
        self._opened, self._opened_name = connection, name
        return connection

    def init_connection_state(self) -> None:
        super().init_connection_state()
        if self._abandoned:
            self.connection.execute(_END, [self._abandoned])
            self._abandoned.clear()
