"""The Celery application of the service that DJANGO_SETTINGS_MODULE names."""

import sys
from typing import Any

from celery import Celery
from celery.signals import beat_init, celeryd_init, task_prerun
from django.conf import settings
from django.db import close_old_connections

from config import privacy

app = Celery("rollcall")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Under the names that redbeat looks for: it finds the values of a namespace too, but takes them for forgotten, says so
# at every start, and leaves its connection without a time limit.
app.add_defaults(
    lambda: {
        "redbeat_redis_url": settings.REDIS_URL,
        "redbeat_redis_options": settings.CELERY_BROKER_TRANSPORT_OPTIONS,
        # Else it closes the connection around each task, and what SQLite opens anew is not compared with what it was.
        "CELERY_DB_REUSE_MAX": sys.maxsize,
    }
)
app.autodiscover_tasks()


@celeryd_init.connect
@beat_init.connect
def begin(**members: Any) -> None:
    privacy.begin()


@task_prerun.connect
def look_at_connections(sender: Any, **members: Any) -> None:
    """As Django does before each request."""
    if not sender.request.is_eager:
        close_old_connections()
