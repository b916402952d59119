"""Celery's transport to Redis, without the bug that stops a worker for good.

A worker with a prefetch of one asks for the next message when the one before is acknowledged. Where Redis does not
answer the acknowledgement in time, kombu raises before it frees the slot, Celery logs "Couldn't ack", and the worker
waits on a working connection for a message that it may not take. Here the slot is freed in any case. The message stays
unacknowledged and is delivered once more after the visibility timeout; every task here may run twice.
"""

from typing import Any

from kombu.transport import redis as kombu_redis
from kombu.transport import virtual

from config.celery import app


class QoS(kombu_redis.QoS):
    def ack(self, delivery_tag: Any) -> None:
        try:
            super().ack(delivery_tag)
        except self.channel.connection_errors:  # type: ignore[attr-defined]  # the stubs lack it
            virtual.QoS.ack(self, delivery_tag)
            raise


class Channel(kombu_redis.Channel):
    QoS = QoS

    def _brpop_read(self, **options: Any) -> Any:
        # Redis answers once a second at least, with a message or with none.
        app.pulse.beat()
        return super()._brpop_read(**options)  # type: ignore[misc]  # the stubs lack it


class Transport(kombu_redis.Transport):
    Channel = Channel

    def establish_connection(self) -> Any:
        app.pulse.beat()
        return super().establish_connection()
