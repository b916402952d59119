"""SQLite's own error when a disk is full: nothing is corrupted, and it goes on when there is room."""

import pytest
from django.db import connection

from logsvc.storage.current import store
from logsvc.storage.errors import Full
from logsvc.storage.sqlite import SqliteStore
from tests.logsvc import factories
from tests.logsvc.factories import keep, record

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not isinstance(store(), SqliteStore), reason="the limit is a PRAGMA"),
]


def ask(statement: str) -> int | str:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        found: int | str = cursor.fetchone()[0]
        return found


def test_a_full_disk_loses_nothing_and_is_gone_on_from_when_there_is_room() -> None:
    keep(record("before"))
    highest = ask("PRAGMA max_page_count")
    ask(f"PRAGMA max_page_count = {int(ask('PRAGMA page_count')) + 20}")
    large = [record("x" * 10_000) for _ in range(200)]
    try:
        with pytest.raises(Full):
            keep(*large)

        assert factories.found() == ["before"]
        assert ask("PRAGMA integrity_check") == "ok"
    finally:
        ask(f"PRAGMA max_page_count = {highest}")

    assert keep(*large) == 200
    assert store().services() == {"grading": 201}


def test_space_is_given_back_after_deletion() -> None:
    if ask("PRAGMA auto_vacuum") != 2:
        pytest.skip("the database of these settings was made without")
    keep(*(record("x" * 10_000) for _ in range(200)))
    before = store().size()
    store().delete(factories.stored())

    store().give_back_space()

    assert store().size().total_bytes < before.total_bytes / 2
