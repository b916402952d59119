"""The counters of arrivals and of deletions: one row of Django's database, for every store."""

from django.db import connection


def take(count: int) -> int:
    """The first of `count` numbers of arrival. The row stays locked to the end of the transaction, so that numbers
    become visible in their order.
    """
    with connection.cursor() as cursor:
        cursor.execute("UPDATE logsvc_head SET seq = seq + %s RETURNING seq", [count])
        return int(cursor.fetchone()[0]) - count + 1


def note_deleted(seq: int) -> None:
    """Remember that a record of this arrival was deleted, so that a tail which had not come so far can say so."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE logsvc_head SET pruned_seq = %s WHERE pruned_seq < %s", [seq, seq])


def read() -> tuple[int, int]:
    """The greatest number of arrival, and the greatest of a record that was deleted."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq, pruned_seq FROM logsvc_head")
        seq, deleted = cursor.fetchone()
        return int(seq), int(deleted)
