"""The counters of arrivals and of deletions: one row of Django's database, for every store."""

from django.db import connection


def take(count: int) -> int:
    """Reserve `count` arrival numbers and return the first. The row stays locked to the end of the transaction, so that
    they become visible in order.
    """
    with connection.cursor() as cursor:
        cursor.execute("UPDATE logsvc_head SET seq = seq + %s RETURNING seq", [count])
        return int(cursor.fetchone()[0]) - count + 1


def note_deleted(seq: int) -> None:
    """Note that a record of this arrival number was deleted, so that a tail that had not reached it can say so."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE logsvc_head SET pruned_seq = %s WHERE pruned_seq < %s", [seq, seq])


def read() -> tuple[int, int]:
    """The greatest arrival number, and the greatest of a deleted record."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq, pruned_seq FROM logsvc_head")
        seq, deleted = cursor.fetchone()
        return int(seq), int(deleted)
