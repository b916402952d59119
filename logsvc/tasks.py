"""The Celery tasks."""

import time

from celery import shared_task
from django.utils import timezone

from config.celery import app
from logsvc import retention
from logsvc.alerts import messages, rules


@shared_task(name="logsvc.tasks.prune", ignore_result=True)
def prune() -> None:
    retention.prune(now_ns=time.time_ns(), after_batch=app.pulse.beat)


@shared_task(name="logsvc.tasks.evaluate_alerts", ignore_result=True)
def evaluate_alerts() -> None:
    if rules.evaluate_due(now=timezone.now()):
        messages.send_due(now=timezone.now())


@shared_task(name="logsvc.tasks.send_alerts", ignore_result=True)
def send_alerts() -> None:
    """Retry the messages that are due; new ones are sent by the evaluation."""
    messages.send_due(now=timezone.now())


@shared_task(name="logsvc.tasks.forget_alerts", ignore_result=True)
def forget_alerts() -> None:
    messages.forget_old(now=timezone.now())
