"""The registry's connection to Redis, which answers within a second or counts as away."""

import redis
from django.conf import settings

TIMEOUT_SECONDS = 1.0


def connect() -> redis.Redis:
    """A client with connections of its own, opened when they are first needed."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
    )
