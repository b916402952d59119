"""`/readyz`: whether the registry's database and Redis are there and its workers work; names what is wrong."""

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
    # 200 all the same: it still serves, and its balancer must not take it out.
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
