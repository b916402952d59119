"""The Celery tasks: each hands its work to this process's worker and ends."""

from typing import Any

from celery import shared_task
from celery.signals import worker_ready, worker_shutdown
from django.utils import timezone

from registry import retention
from registry.worker import SERVER_PATIENCE_SECONDS, WORKER_PATIENCE_SECONDS, Worker

worker = Worker()


@shared_task(name="registry.tasks.sweep_heartbeats")
def sweep_heartbeats(*, is_tick: bool = False) -> None:
    worker.sweep_heartbeats(is_tick=is_tick)


@shared_task(name="registry.tasks.sweep_notifications")
def sweep_notifications(*, is_tick: bool = False) -> None:
    worker.sweep_notifications(is_tick=is_tick)


@shared_task(name="registry.tasks.prune")
def prune() -> None:
    retention.prune(now=timezone.now())


@worker_ready.connect
def stand_by(**members: Any) -> None:
    worker.stand_by(patience_seconds=WORKER_PATIENCE_SECONDS)


def stand_by_as_server() -> None:
    """Make the sweeps in a process that serves (settings.WHEN_SERVING) when no worker does."""
    worker.stand_by(patience_seconds=SERVER_PATIENCE_SECONDS)


@worker_shutdown.connect
def end(**members: Any) -> None:
    worker.end()
