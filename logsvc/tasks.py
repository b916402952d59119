"""The Celery tasks."""

import time

from celery import shared_task

from logsvc import retention


@shared_task(name="logsvc.tasks.prune", ignore_result=True)
def prune() -> None:
    retention.prune(now_ns=time.time_ns())
