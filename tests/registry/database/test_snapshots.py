from collections.abc import Iterator
from datetime import datetime

import pytest
from django.db import connection

from registry.database import rows, snapshots, statements
from registry.database.snapshots import Wanted
from registry.models import Instance
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_order_but_what_is_asked_for() -> Iterator[None]:
    """As an index would give the rows in the order that is wanted."""
    if connection.vendor == "sqlite":
        statements.fetch("PRAGMA reverse_unordered_selects = ON")
        yield
        statements.fetch("PRAGMA reverse_unordered_selects = OFF")
        return
    with connection.cursor() as cursor:
        for kind in ("indexscan", "indexonlyscan", "bitmapscan"):
            cursor.execute(f"SET LOCAL enable_{kind} = off")
        cursor.execute("DISCARD PLANS")
        yield
        cursor.execute("DISCARD PLANS")


def read(wanted: Wanted) -> list[list[str]]:
    """The names that are found, in their order, by each way to ask for them."""
    names = dict(Instance.objects.values_list("id", "name"))
    if connection.vendor == "sqlite":
        return [[names[row[rows.ID]] for row in snapshots.select(wanted)[1]]]
    [stamped] = snapshots.stamps([wanted])[1]
    [whole] = snapshots.stamped_rows([wanted])[1]
    return [[names[number] for number, _ in stamped], [names[row[rows.ID]] for _, row in whole]]


def test_instances_come_by_name_and_no_more_than_are_asked_for(now: datetime) -> None:
    for name in "caebd":
        factories.register("billing", name, now=now)
    factories.register("another", "a", now=now)

    for wanted, names in (
        (Wanted("billing"), "abcde"),
        (Wanted("billing", limit=2), "ab"),
        (Wanted("billing", after="b", limit=2), "cd"),
        (Wanted("billing", after="e"), ""),
    ):
        assert [*map("".join, read(wanted))] in ([names], [names, names]), wanted
