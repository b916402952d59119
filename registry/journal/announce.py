"""Logs changes: one record for each, so that a search for a service's name finds when it failed."""

import logging
from collections import Counter
from collections.abc import Sequence

from registry.models import Change
from registry.wire.bodies import JournalRow

logger = logging.getLogger(__name__)

# A fleet that registers at once makes one record, not a thousand.
MOST_RECORDS = 20
_WORRYING = (Change.CRITICAL, Change.SUSPECT)


def log_changes(entries: Sequence[JournalRow]) -> None:
    """Log what one commit has appended to the journal."""
    if len(entries) <= MOST_RECORDS:
        for entry in entries:
            logger.log(
                logging.WARNING if entry.change in _WORRYING else logging.INFO,
                "%s/%s %s%s",
                entry.service,
                entry.instance,
                Change(entry.change).label,
                f": {entry.reason}" if entry.reason else "",
                extra={
                    "service": entry.service,
                    "instance": entry.instance,
                    "change": entry.change,
                    "revision": entry.revision,
                    "author": entry.author,
                },
            )
        return
    for (service, change), count in Counter((entry.service, entry.change) for entry in entries).items():
        logger.log(
            logging.WARNING if change in _WORRYING else logging.INFO,
            "%d instances of %s %s",
            count,
            service,
            Change(change).label,
            extra={"service": service, "change": change, "revision": entries[-1].revision, "count": count},
        )
