from datetime import datetime

import msgspec
import pytest
from pytest_django import DjangoAssertNumQueries

from registry.discovery import row_json_cache
from registry.discovery.queries import Instances
from registry.discovery.row_json_cache import RowJsonCache
from registry.models import Instance
from registry.wire.bodies import instance_body
from tests import factories

pytestmark = pytest.mark.django_db


def bodies(cache: RowJsonCache) -> list[object]:
    return [msgspec.json.decode(each.encoded) for each in cache.instances("billing", Instances())[1]]


def test_whatever_changes_in_a_row_is_shown_at_the_next_read(now: datetime) -> None:
    cache = RowJsonCache()
    instance = factories.register("billing", now=now, tags=["blue"]).instance
    for field, value in [("url", "http://127.0.0.1:1"), ("tags", ["green"]), ("status", "passing"), ("weight", 7)]:
        bodies(cache)
        setattr(instance, field, value)
        instance.save(update_fields=[field])
        assert bodies(cache) == [instance_body(Instance.objects.get())]


def test_a_row_that_reads_as_before_is_asked_for_and_not_made_again(
    now: datetime, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    cache = RowJsonCache()
    for number in range(3):
        factories.register("billing", f"b-{number}", now=now)
    _, made = cache.instances("billing", Instances())

    with django_assert_max_num_queries(1):
        _, again = cache.instances("billing", Instances())

    assert len(made) == 3
    assert all(one is other for one, other in zip(made, again, strict=True))


def test_a_change_elsewhere_leaves_what_was_made(
    now: datetime, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    cache = RowJsonCache()
    factories.register("billing", now=now)
    _, made = cache.instances("billing", Instances())

    factories.register("orders", now=now)
    with django_assert_max_num_queries(1):
        _, again = cache.instances("billing", Instances())

    assert made[0] is again[0]


def test_no_more_is_kept_than_there_is_room_for(now: datetime) -> None:
    cache = RowJsonCache(most_bytes=2 * row_json_cache.OVERHEAD_BYTES)
    for number in range(5):
        factories.register("billing", f"b-{number}", now=now)

    assert bodies(cache) == bodies(cache) == [instance_body(each) for each in Instance.objects.all()]
    assert len(cache) <= 2
