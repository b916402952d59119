"""The Celery application of the service that DJANGO_SETTINGS_MODULE names."""

import os
import sys
from typing import Any

import click
from celery import Celery
from celery.signals import beat_init, celeryd_init, task_postrun, task_prerun
from django.conf import settings
from django.db import close_old_connections
from kombu.transport import TRANSPORT_ALIASES

from config import env, privacy, threads
from config.liveness import STALL_SECONDS, TASK_STALL_SECONDS, Pulse


class App(Celery):
    """Owns the pulse of a worker's process, or beat's."""

    def __init__(self, *arguments: Any, **members: Any) -> None:
        self.pulse = Pulse()
        super().__init__(*arguments, **members)


# Django's checks are of the code, and `make check` makes them. A worker would import every page for them: half of its
# start.
os.environ["CELERY_SKIP_CHECKS"] = "yes"

app = App("rollcall")
app.config_from_object("django.conf:settings", namespace="CELERY")
# The names that redbeat looks for: it finds namespaced ones too, but warns at every start and leaves its connection
# without a timeout.
app.add_defaults(
    lambda: {
        "redbeat_redis_url": settings.REDIS_URL,
        "redbeat_redis_options": settings.REDIS_TIMEOUTS,
        # Otherwise Celery closes the database's connection around each task, and config/sqlite could not tell that the
        # file was replaced.
        "CELERY_DB_REUSE_MAX": sys.maxsize,
    }
)
app.autodiscover_tasks()
# Click's own: Celery's takes every process that may send a task a third of the time that Celery itself takes.
app.user_options["worker"].add(click.Option(["--with-beat"], is_flag=True, help="Schedule the periodic tasks, too."))
app.steps["worker"].add("config.beat:InWorker")


# By name: a process that never speaks to the broker does not import its client.
TRANSPORT_ALIASES.update(redis="config.broker:Transport", rediss="config.broker:Transport")


@celeryd_init.connect
@beat_init.connect
def begin(**members: Any) -> None:
    privacy.begin()
    threads.switch_often()
    app.pulse.watch(env.sign_of_life())


@task_prerun.connect
def begin_task(sender: Any, **members: Any) -> None:
    """Check the database's connections, as Django does before each request."""
    if not sender.request.is_eager:
        app.pulse.beat(limit_seconds=TASK_STALL_SECONDS)
        close_old_connections()


@task_postrun.connect
def end_task(**members: Any) -> None:
    app.pulse.beat(limit_seconds=STALL_SECONDS)
