from datetime import datetime

import msgspec
import pytest
from pytest_django import DjangoAssertNumQueries

from registry.models import Instance
from registry.reading import shown
from registry.reading.queries import Instances
from registry.representation import instance_body
from tests import factories

pytestmark = pytest.mark.django_db


def bodies() -> list[object]:
    return [msgspec.json.decode(each.encoded) for each in shown.instances("billing", Instances())]


def test_whatever_changes_in_a_row_is_shown_at_the_next_read(now: datetime) -> None:
    instance = factories.register("billing", now=now, tags=["blue"]).instance
    for field, value in [("url", "http://127.0.0.1:1"), ("tags", ["green"]), ("status", "passing"), ("weight", 7)]:
        bodies()
        setattr(instance, field, value)
        instance.save(update_fields=[field])
        assert bodies() == [instance_body(Instance.objects.get())]


def test_a_row_that_reads_as_before_is_asked_for_and_not_made_again(
    now: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(3):
        factories.register("billing", f"b-{number}", now=now)
    bodies()
    made = shown._shown.cache_info().misses

    with django_assert_num_queries(1):
        assert len(bodies()) == 3

    assert shown._shown.cache_info().misses == made
