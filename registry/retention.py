"""Retention: old attempts, tombstones, roll-ups and journal entries are removed, in small batches."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Min, Model, QuerySet

from config.clocks import SKEW
from registry.models import Cursor, Delivery, JournalEntry, Tombstone

BATCH = 1000


def prune(*, now: datetime, batch: int = BATCH) -> dict[str, int]:
    """Returns how many rows of each kind were removed."""
    old_deliveries = now - timedelta(days=settings.DELIVERY_RETENTION_DAYS)
    old_tombstones = now - timedelta(days=settings.TOMBSTONE_RETENTION_DAYS)
    entries = _old_entries(now - timedelta(days=settings.JOURNAL_RETENTION_DAYS), now=now)
    # A journal entry is also kept until every dependent has been told of it.
    told = Cursor.objects.filter(is_stopped=False).aggregate(told=Min("scanned_revision"))["told"]
    if told is not None:
        entries = entries.filter(revision__lte=told)
    return {
        "deliveries": _remove(Delivery.objects.order_by().filter(at__lt=old_deliveries), batch),
        "tombstones": _remove(Tombstone.objects.order_by().filter(at__lt=old_tombstones), batch),
        "roll-ups": _remove_rollups(now - timedelta(days=settings.HISTORY_RETENTION_DAYS), batch),
        "journal entries": _remove(entries, batch),
    }


def _old_entries(oldest: datetime, *, now: datetime) -> QuerySet[JournalEntry]:
    """The entries up to the last old one before any newer, oldest first.

    By revision, because readers take all that follows the first entry to be there, and a clock may have been set: an
    old entry behind newer ones stays with them, and one in the future goes with the old ones around it.
    """
    entries = JournalEntry.objects.order_by("revision")
    newer = entries.filter(at__gte=oldest, at__lte=now + SKEW).values_list("revision", flat=True).first()
    before = entries if newer is None else entries.filter(revision__lt=newer)
    last = before.filter(at__lt=oldest).values_list("revision", flat=True).last()
    return entries.none() if last is None else entries.filter(revision__lte=last)


def _remove(rows: QuerySet[Any], batch: int) -> int:
    model: type[Model] = rows.model
    removed = 0
    while ids := list(rows.values_list("pk", flat=True)[:batch]):
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
