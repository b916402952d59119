"""Forgetting, in small batches, what is old: attempts, tombstones, history, and the journal behind every cursor."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Min, Model, QuerySet

from registry.history import DAY
from registry.models import Cursor, Delivery, JournalEntry, Tombstone

BATCH = 1000


def prune(*, now: datetime) -> dict[str, int]:
    """Returns how many rows of each kind were removed."""
    old_deliveries = now - timedelta(days=settings.DELIVERY_RETENTION_DAYS)
    old_tombstones = now - timedelta(days=settings.TOMBSTONE_RETENTION_DAYS)
    return {
        "deliveries": _remove(Delivery.objects.filter(at__lt=old_deliveries)),
        "tombstones": _remove(Tombstone.objects.filter(at__lt=old_tombstones)),
        "roll-ups": _remove_rollups(now - timedelta(days=settings.HISTORY_RETENTION_DAYS)),
        "journal entries": _remove(_told_entries(now - timedelta(days=settings.JOURNAL_RETENTION_DAYS))),
    }


def _told_entries(oldest: datetime) -> QuerySet[JournalEntry]:
    """Entries that are older than the retention and that every dependent has been told of."""
    told = Cursor.objects.filter(is_stopped=False).aggregate(told=Min("scanned_revision"))["told"]
    entries = JournalEntry.objects.filter(at__lt=oldest)
    return entries if told is None else entries.filter(revision__lte=told)


def _remove(rows: QuerySet[Any]) -> int:
    model: type[Model] = rows.model
    removed = 0
    while ids := list(rows.order_by().values_list("pk", flat=True)[:BATCH]):
        removed += model._default_manager.filter(pk__in=ids).delete()[0]
    return removed


def _remove_rollups(oldest: datetime) -> int:
    """What began before that day, both its hours and the day itself."""
    first, removed = int(oldest.timestamp() // 3600) // DAY * DAY, 0
    while count := _remove_rollup_batch(first):
        removed += count
    return removed


def _remove_rollup_batch(first: int) -> int:
    # By SQL, because the ORM would name each row by the four columns of its key.
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM registry_rollup WHERE (span_hours, service, instance, start_hour) IN (
                SELECT span_hours, service, instance, start_hour FROM registry_rollup WHERE start_hour < %s LIMIT %s
            )
            """,
            [first, BATCH],
        )
        return int(cursor.rowcount)
