"""The Celery tasks: each hands what there is to do to its pipeline and ends."""

import time
from typing import Any

from celery import shared_task
from celery.signals import worker_shutdown
from django.utils import timezone

from registry import canary, courier, deadlines, guard, history, prober, retention, wakeups


@shared_task(name="registry.tasks.sweep_heartbeats")
def sweep_heartbeats() -> None:
    wakeups.acknowledge("registry.tasks.sweep_heartbeats")
    guard.tick(is_cut_off=canary.is_silent(), now=time.time())
    prober.sweep(now=time.time())
    deadlines.enforce(now=timezone.now())
    history.flush(now=time.time())


@shared_task(name="registry.tasks.sweep_notifications")
def sweep_notifications() -> None:
    wakeups.acknowledge("registry.tasks.sweep_notifications")
    courier.sweep(now=timezone.now())


@shared_task(name="registry.tasks.prune")
def prune() -> None:
    retention.prune(now=timezone.now())


@worker_shutdown.connect
def write_the_last_of_the_history(**members: Any) -> None:
    history.flush(now=time.time(), is_last=True)
