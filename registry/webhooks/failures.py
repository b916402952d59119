"""Logs deliveries that fail: a search for the name of a dependent finds since when it was not told, and why."""

import logging
from collections import defaultdict
from collections.abc import Sequence

from registry.webhooks.cursors import Attempt

logger = logging.getLogger(__name__)

# Where a whole fleet cannot be told it makes one record for each service, not a thousand.
MOST_RECORDS = 20


def log_failures(attempts: Sequence[Attempt]) -> None:
    """Log those of a group that failed: the first failure as a warning, and each retry's below that."""
    failed = [attempt for attempt in attempts if not attempt.succeeded]
    if len(failed) <= MOST_RECORDS:
        for attempt in failed:
            _log_one(attempt)
        return
    by_service = defaultdict(list)
    for attempt in failed:
        by_service[attempt.message.service].append(attempt)
    for some in by_service.values():
        if len(some) == 1:
            _log_one(some[0])
        else:
            _log_together(some)


def _log_one(attempt: Attempt) -> None:
    message = attempt.message
    logger.log(
        _level([attempt]),
        "%s/%s was not told of revision %d: %s",
        message.service,
        message.instance,
        message.to_revision,
        attempt.error,
        extra={
            "service": message.service,
            "instance": message.instance,
            "revision": message.to_revision,
            "webhook_id": message.id,
            "attempts": message.attempts + 1,
        },
    )


def _log_together(attempts: Sequence[Attempt]) -> None:
    last = attempts[-1]
    service, revision = last.message.service, last.message.to_revision
    logger.log(
        _level(attempts),
        "%d instances of %s were not told of revision %d, the last: %s",
        len(attempts),
        service,
        revision,
        last.error,
        extra={"service": service, "revision": revision, "count": len(attempts)},
    )


def _level(attempts: Sequence[Attempt]) -> int:
    return logging.WARNING if any(attempt.message.attempts == 0 for attempt in attempts) else logging.INFO
