"""Telling the workers of what is to be done; what they do not hear of now, the next sweep finds."""

import logging

from kombu.exceptions import OperationalError

from grading import tasks

logger = logging.getLogger(__name__)


def run_import(*, batch_id: int) -> None:
    try:
        tasks.run_import.delay(batch_id)
    except OperationalError as error:
        logger.warning("Import %s waits for the next sweep, as Redis is away: %s", batch_id, error)
