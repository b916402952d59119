"""Retention: old attempts, tombstones, roll-ups and journal entries are removed, in small batches."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Min, Model, QuerySet

from registry.models import Cursor, Delivery, JournalEntry, Tombstone

BATCH = 1000


def prune(*, now: datetime, batch: int = BATCH) -> dict[str, int]:
    """Returns how many rows of each kind were removed."""
    old_deliveries = now - timedelta(days=settings.DELIVERY_RETENTION_DAYS)
    old_tombstones = now - timedelta(days=settings.TOMBSTONE_RETENTION_DAYS)
    # A journal entry is also kept until every dependent has been told of it.
    told = Cursor.objects.filter(is_stopped=False).aggregate(told=Min("scanned_revision"))["told"]
    entries = JournalEntry.objects.filter(at__lt=now - timedelta(days=settings.JOURNAL_RETENTION_DAYS))
    if told is not None:
        entries = entries.filter(revision__lte=told)
    return {
        "deliveries": _remove(Delivery.objects.filter(at__lt=old_deliveries), batch),
        "tombstones": _remove(Tombstone.objects.filter(at__lt=old_tombstones), batch),
        "roll-ups": _remove_rollups(now - timedelta(days=settings.HISTORY_RETENTION_DAYS), batch),
        "journal entries": _remove(entries, batch),
    }


def _remove(rows: QuerySet[Any], batch: int) -> int:
    model: type[Model] = rows.model
    removed = 0
    while ids := list(rows.order_by().values_list("pk", flat=True)[:batch]):
        removed += model._default_manager.filter(pk__in=ids).delete()[0]
    return removed


def _remove_rollups(oldest: datetime, batch: int) -> int:
    """Remove the hours and days that began before; returns how many."""
    # By SQL: the ORM would name each row by the four columns of its key, by which SQLite finds it only slowly.
    key = "rowid" if connection.vendor == "sqlite" else "span_hours, service, instance, start_hour"
    first, removed = int(oldest.timestamp() // 3600), 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                DELETE FROM registry_rollup WHERE ({key}) IN (
                    SELECT {key} FROM registry_rollup WHERE start_hour < %s LIMIT %s
                )
                """,  # noqa: S608 -- what is put in are constants
                [first, batch],
            )
            if not cursor.rowcount:
                return removed
            removed += int(cursor.rowcount)
