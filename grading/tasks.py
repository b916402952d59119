"""The Celery tasks."""

from celery import shared_task
from django.utils import timezone

from grading import bulk, importing


@shared_task(name="grading.tasks.run_import", ignore_result=True)
def run_import(batch_id: int) -> None:
    importing.run(batch_id=batch_id, now=timezone.now())


@shared_task(name="grading.tasks.sweep_imports", ignore_result=True)
def sweep_imports() -> None:
    """Take up what was confirmed while no worker heard of it, and what a dead worker left."""
    for batch_id in importing.waiting(now=timezone.now()):
        importing.run(batch_id=batch_id, now=timezone.now())


@shared_task(name="grading.tasks.prune", ignore_result=True)
def prune() -> None:
    now = timezone.now()
    bulk.prune(now=now)
    importing.prune(now=now)
