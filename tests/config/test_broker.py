"""A worker's connection while Redis stands still: a real one, for it is kombu and Redis that are tried."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection, Consumer, Message, Queue

from config.celery import app
from tests.config.test_beat import Server
from tests.waiting import PATIENCE_SECONDS, until


@pytest.fixture
def server(short_path: Path) -> Iterator[Server]:
    server = Server(short_path)
    server.start()
    yield server
    server.kill()
    server.redis.close()


def test_an_acknowledgement_that_redis_does_not_answer_stops_nobody(server: Server) -> None:
    options = {"socket_timeout": PATIENCE_SECONDS, "retry_on_timeout": False}
    # Its stubs know less than it takes.
    connection: Any = Connection(f"redis+socket://{server.socket}", transport_options=options)
    assert app, "it puts this transport in place of kombu's"
    with connection:
        taken: list[Message] = []
        queue = Queue("work", routing_key="work", channel=connection)
        queue.declare()
        with connection.SimpleQueue(queue) as sent:
            for number in range(2):
                sent.put(number)
        consumer = Consumer(connection, [queue], on_message=taken.append)
        consumer.qos(prefetch_count=1)
        with consumer:
            until(lambda: _drained(connection, taken, 1))
            server.signal(signal.SIGSTOP)
            _shorten(consumer.channel)
            taken[0].ack_log_error(_Silent(), connection.connection_errors)
            server.signal(signal.SIGCONT)

            until(lambda: _drained(connection, taken, 2))
            taken[1].ack()


class _Silent:
    def critical(self, *arguments: object, **options: object) -> None:
        """Celery's own sentence, which is no failure of this test."""


def _shorten(channel: Any) -> None:
    """Have its connection wait a moment for its next answer: what was asked for before has come, however late."""
    connection = channel.pool.get_connection()
    connection.update_current_socket_timeout(0.05)
    channel.pool.release(connection)


def _drained(connection: Any, taken: list[Message], count: int) -> bool:
    try:
        connection.drain_events(timeout=0.1)
    except (TimeoutError, *connection.connection_errors):
        pass
    return len(taken) >= count
