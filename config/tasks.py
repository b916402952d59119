"""The Celery tasks that every service has."""

from celery import shared_task
from django.utils import timezone

from config import sessions


@shared_task(name="config.tasks.forget_sessions", ignore_result=True)
def forget_sessions() -> None:
    sessions.forget_expired(now=timezone.now())
