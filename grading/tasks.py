"""The Celery tasks."""

import logging
from contextlib import suppress

from celery import shared_task
from django.db import OperationalError
from django.utils import timezone

from config.problems import Problem
from grading import bulk, importing

logger = logging.getLogger(__name__)


@shared_task(name="grading.tasks.run_import", ignore_result=True)
def run_import(batch_id: int) -> None:
    # Stored with the import, for the person who confirmed it.
    with suppress(Problem):
        importing.run(batch_id=batch_id, now=timezone.now())


@shared_task(name="grading.tasks.sweep_imports", ignore_result=True)
def sweep_imports() -> None:
    """Take up what was confirmed while no worker heard of it, and what a dead worker left."""
    for batch_id in importing.waiting(now=timezone.now()):
        try:
            importing.run(batch_id=batch_id, now=timezone.now())
        except Problem:
            continue
        except OperationalError as error:
            # On SQLite a long import of another worker keeps everybody else from writing.
            logger.info("import %s waits for the next sweep: %s", batch_id, error)


@shared_task(name="grading.tasks.prune", ignore_result=True)
def prune() -> None:
    now = timezone.now()
    bulk.prune(now=now)
    importing.prune(now=now)
