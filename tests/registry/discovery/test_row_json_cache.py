import itertools
from datetime import datetime
from typing import Any

import msgspec
import pytest
from pytest_django import DjangoAssertNumQueries

from registry.discovery import row_json_cache
from registry.discovery.queries import Instances
from registry.discovery.row_json_cache import Asked, RowJsonCache, Shown
from registry.models import Head, Instance
from registry.wire.bodies import instance_body
from tests import factories

pytestmark = pytest.mark.django_db


def shown(cache: RowJsonCache) -> list[Shown]:
    ((_, found),) = cache.instances([Asked("billing", Instances())])
    return found


def bodies(cache: RowJsonCache) -> list[object]:
    return [msgspec.json.decode(each.encoded) for each in shown(cache)]


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
    made = shown(cache)

    with django_assert_max_num_queries(1):
        again = shown(cache)

    assert len(made) == 3
    assert all(one is other for one, other in zip(made, again, strict=True))


def test_a_change_elsewhere_leaves_what_was_made(
    now: datetime, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    cache = RowJsonCache()
    factories.register("billing", now=now)
    made = shown(cache)

    factories.register("orders", now=now)
    with django_assert_max_num_queries(1):
        again = shown(cache)

    assert made[0] is again[0]


@pytest.mark.postgresql
def test_what_was_made_in_another_history_is_made_anew(now: datetime) -> None:
    cache = RowJsonCache()
    factories.register("billing", now=now)
    (made,) = shown(cache)

    Head.objects.update(history="restored")

    (again,) = shown(cache)
    assert again is not made
    assert shown(cache) == [again]


def test_no_more_is_kept_than_there_is_room_for(now: datetime) -> None:
    cache = RowJsonCache(most_bytes=2 * row_json_cache.OVERHEAD_BYTES)
    for number in range(5):
        factories.register("billing", f"b-{number}", now=now)

    assert bodies(cache) == bodies(cache) == [instance_body(each) for each in Instance.objects.all()]
    assert len(cache) <= 2


def test_pages_that_are_made_together_are_those_that_are_made_alone(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_json_cache, "MOST_ROWS", 5)
    for number in range(4):
        zone, version, tags = ("a", "'\"\\%s{}")[number % 2], ("", "1")[number // 2], ["blue"] * (number % 2)
        for service in ("billing", "orders"):
            factories.register(service, f"i-{number}", now=now, zone=zone, version=version, tags=tags)
    given: dict[str, list[Any]] = {
        "cursor": [None, "i-1", "'\"\\%s{}"],
        "zone": [None, "a", "'\"\\%s{}"],
        "version": [None, "1"],
        "tag": [None, "blue"],
        "status": [None, "passing"],
        "limit": [None, 1],
    }
    queries = [Instances(**dict(zip(given, values, strict=True))) for values in itertools.product(*given.values())]
    asked = [Asked(service, query) for query in queries for service in ("billing", "orders", "nobody")]

    alone = [page for each in asked for page in RowJsonCache().pages([each])]

    # With nothing kept, with what was made for those before, and with all known.
    assert list(RowJsonCache(most_bytes=0).pages(asked)) == alone
    assert list(RowJsonCache().pages(asked)) == alone
    cache = RowJsonCache()
    list(cache.pages([Asked(service, Instances()) for service in ("billing", "orders")]))
    assert list(cache.pages(asked)) == alone
    assert len({page.rest for page in alone}) > len(given)


def test_where_nothing_was_ever_written_there_is_nothing_at_no_revision() -> None:
    Head.objects.all().delete()

    pages = list(RowJsonCache().pages([Asked("billing", Instances())] * 2))

    assert [(page.history, page.revision, page.body(0)) for page in pages] == [
        ("", 0, b'{"revision":0,"instances":[],"next":null}')
    ] * 2
