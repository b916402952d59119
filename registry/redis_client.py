"""The registry's connections to Redis, which answers within a second or counts as away."""

import os
import threading
import time
from typing import Any

import redis
from django.conf import settings

TIMEOUT_SECONDS = 1.0

Command = tuple[str | bytes | int | float, ...]


def connect() -> redis.Redis:
    """A client with connections of its own, opened when they are first needed."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
    )


class Line:
    """Asks Redis over one connection for each thread, opened when it is first needed, and again after a fork.

    For what webhooks wait for: a client, with its pool, its retries and its metrics, takes twice as long.
    """

    def __init__(self, url: str) -> None:
        self._pool = redis.ConnectionPool.from_url(
            url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
        )
        self._own = threading.local()

    def ask(self, *commands: Command, pause_seconds: float = 0.0) -> list[Any]:
        """Send the commands in one round trip, and return their answers, read after a pause. Raises redis.RedisError.

        Where a connection that was open before is lost, as when Redis has been restarted, they are sent once more.
        """
        if getattr(self._own, "pid", None) != os.getpid():
            self._own.connection, self._own.pid = self._pool.make_connection(), os.getpid()
        connection = self._own.connection
        was_open = connection.is_connected
        try:
            return _exchange(connection, commands, pause_seconds)
        except redis.ConnectionError:
            if not was_open:
                raise
            return _exchange(connection, commands, pause_seconds)


def _exchange(connection: Any, commands: tuple[Command, ...], pause_seconds: float) -> list[Any]:
    try:
        connection.send_packed_command(connection.pack_commands(commands))
        if pause_seconds:
            time.sleep(pause_seconds)
        return [connection.read_response() for _ in commands]
    except BaseException:
        # The answers that are not read must not be taken for those of the next commands.
        connection.disconnect()
        raise
