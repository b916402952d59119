"""Forgetting what is older than settings.RETENTION_DAYS."""

from datetime import datetime, timedelta

from django.conf import settings

from logsvc.models import Record

BATCH_SIZE = 1000


def prune(*, now: datetime) -> int:
    """Delete what was received before the retention, and return how many records that were.

    In small batches, each a transaction of its own, so that no sender waits for more than one. Oldest ids first:
    they came first, so that the first batch with nothing to delete is the last one to look at.
    """
    limit = now - timedelta(days=settings.RETENTION_DAYS)
    deleted = 0
    while expired := _expired_among_the_oldest(limit):
        deleted += Record.objects.filter(pk__lte=expired[-1], received_at__lt=limit).delete()[0]
    return deleted


def _expired_among_the_oldest(limit: datetime) -> list[int]:
    oldest = Record.objects.order_by("pk").values_list("pk", "received_at")[:BATCH_SIZE]
    return [pk for pk, received_at in oldest if received_at < limit]
