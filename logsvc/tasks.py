"""The Celery tasks."""

from celery import shared_task
from django.utils import timezone

from logsvc import retention


@shared_task(name="logsvc.tasks.prune", ignore_result=True)
def prune() -> None:
    retention.prune(now=timezone.now())
