"""`/readyz`: whether what the registry needs is there, and whether its workers work, naming what is wrong."""

import logging

import redis
from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from config.problems import Unavailable
from registry.health import watchdog

logger = logging.getLogger(__name__)


def readyz(request: HttpRequest) -> HttpResponse:
    away = [
        name for name, is_there in (("database", _database_is_there()), ("redis", _redis_is_there())) if not is_there
    ]
    if away:
        return Unavailable(f"Away: {', '.join(away)}.", away=away).http_response()
    findings = watchdog.findings(now=timezone.now())
    # It serves all the same: taken from its balancer, it would be worth nothing.
    return JsonResponse({"status": "degraded" if findings else "ok", "findings": findings})


def _database_is_there() -> bool:
    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        # Without its traceback, as a balancer asks every second.
        logger.error("The database is away: %s", error)
        return False
    return True


def _redis_is_there() -> bool:
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1) as client:
            client.ping()
    except redis.RedisError as error:
        logger.error("Redis is away: %s", error)
        return False
    return True
