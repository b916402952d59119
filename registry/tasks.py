"""The Celery tasks: each hands what there is to do to its pipeline and ends."""

import time
from typing import Any

from celery import shared_task
from celery.signals import worker_shutdown
from django.utils import timezone

from registry import retention, wakeups
from registry.health import canary, deadlines, probe_counts, prober, protection
from registry.webhooks import sender


@shared_task(name="registry.tasks.sweep_heartbeats")
def sweep_heartbeats() -> None:
    wakeups.acknowledge("registry.tasks.sweep_heartbeats")
    protection.tick(is_cut_off=canary.is_silent(), now=time.time())
    prober.sweep(now=time.time())
    deadlines.enforce(now=timezone.now())
    probe_counts.flush(now=time.time())


@shared_task(name="registry.tasks.sweep_notifications")
def sweep_notifications() -> None:
    wakeups.acknowledge("registry.tasks.sweep_notifications")
    sender.sweep(now=timezone.now())


@shared_task(name="registry.tasks.prune")
def prune() -> None:
    retention.prune(now=timezone.now())


@worker_shutdown.connect
def write_the_last_of_the_history(**members: Any) -> None:
    probe_counts.flush(now=time.time(), is_last=True)
