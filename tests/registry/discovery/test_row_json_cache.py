from datetime import datetime
from typing import Any

import msgspec
import pytest
from pytest_django import DjangoAssertNumQueries

from registry.discovery import row_json_cache
from registry.discovery.queries import Instances
from registry.models import Instance
from registry.wire.bodies import instance_body
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_json_cache, "_kept", row_json_cache._Kept())


def bodies() -> list[object]:
    return [msgspec.json.decode(each.encoded) for each in row_json_cache.instances("billing", Instances())]


def test_whatever_changes_in_a_row_is_shown_at_the_next_read(now: datetime) -> None:
    instance = factories.register("billing", now=now, tags=["blue"]).instance
    for field, value in [("url", "http://127.0.0.1:1"), ("tags", ["green"]), ("status", "passing"), ("weight", 7)]:
        bodies()
        setattr(instance, field, value)
        instance.save(update_fields=[field])
        assert bodies() == [instance_body(Instance.objects.get())]


def test_a_row_that_reads_as_before_is_asked_for_and_not_made_again(
    now: datetime, django_assert_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    make = row_json_cache._made

    def counted(row: tuple[Any, ...]) -> row_json_cache.Shown:
        made.append(row)
        return make(row)

    monkeypatch.setattr(row_json_cache, "_made", counted)
    for number in range(3):
        factories.register("billing", f"b-{number}", now=now)
    bodies()

    with django_assert_num_queries(1):
        assert len(bodies()) == 3

    assert len(made) == 3


def test_no_more_is_kept_than_there_is_room_for(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_json_cache, "MOST_BYTES", 2 * row_json_cache.OVERHEAD_BYTES)
    for number in range(5):
        factories.register("billing", f"b-{number}", now=now)

    assert bodies() == bodies() == [instance_body(each) for each in Instance.objects.all()]
    assert len(row_json_cache._kept._made) <= 2
