"""Logs changes: one record for each, so that a search for a service's name finds when it failed."""

import logging
from collections import defaultdict
from collections.abc import Sequence

from registry.models import Change
from registry.wire.bodies import JournalRow

logger = logging.getLogger(__name__)

# A fleet that registers at once makes one record, not a thousand. Routine changes are logged one by one only if few.
MOST_RECORDS = 20
MOST_ROUTINE_RECORDS = 5
_ROUTINE = (Change.REGISTERED, Change.DEREGISTERED)
_WORRYING = (Change.CRITICAL, Change.SUSPECT)


def log_changes(entries: Sequence[JournalRow]) -> None:
    """Log what one commit has appended to the journal."""
    alike: defaultdict[tuple[str, str], list[JournalRow]] = defaultdict(list)
    for entry in entries:
        alike[entry.service, entry.change].append(entry)
    for entry in entries:
        some = alike[entry.service, entry.change]
        most = MOST_ROUTINE_RECORDS if entry.change in _ROUTINE else MOST_RECORDS
        if len(some) == 1 or (len(some) <= most and len(entries) <= MOST_RECORDS):
            _log_one(entry)
        elif entry is some[-1]:
            _log_together(some)


def _log_one(entry: JournalRow) -> None:
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


def _log_together(entries: Sequence[JournalRow]) -> None:
    service, change, revision = entries[-1].service, entries[-1].change, entries[-1].revision
    logger.log(
        logging.WARNING if change in _WORRYING else logging.INFO,
        "%d instances of %s %s",
        len(entries),
        service,
        Change(change).label,
        extra={"service": service, "change": change, "revision": revision, "count": len(entries)},
    )
