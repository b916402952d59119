from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from logsvc import entries, records
from logsvc.entries import Entry
from logsvc.models import Record
from tests.logsvc import factories
from tests.logsvc.factories import NOW, entry
from tests.logsvc.strategies import exact_json, steady, texts

pytestmark = pytest.mark.django_db
attributes = st.dictionaries(texts, exact_json, max_size=4).map(entries.attributes)


def test_many_records_are_kept_with_one_statement(now: datetime) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        records.store([entry() for _ in range(1000)], now=now)

    assert len(queries) == 1
    assert Record.objects.count() == 1000


def test_records_keep_their_order_over_several_statements(now: datetime) -> None:
    records.store([entry(str(number)) for number in range(2500)], now=now)

    assert factories.messages() == [str(number) for number in range(2500)]


def test_a_known_uid_is_kept_as_it_was_first() -> None:
    uid = uuid4()

    factories.keep(entry("first", uid=uid), entry("twice in a batch", uid=uid))
    factories.keep(entry("again", uid=uid), entry("new"))

    assert factories.messages() == ["first", "new"]


def test_nothing_is_kept_of_nothing(now: datetime, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        records.store([], now=now)


@steady
@given(
    time=st.datetimes(timezones=st.just(UTC)),
    level=st.integers(0, 100),
    names=st.tuples(texts, texts, texts),
    message=texts,
    exception=texts,
    attributes=attributes,
)
def test_what_is_read_back_is_what_was_kept(
    time: datetime, level: int, names: tuple[str, str, str], message: str, exception: str, attributes: dict[str, Any]
) -> None:
    service, instance, logger = names
    given = Entry(
        time=time,
        level=level,
        service=service,
        instance=instance,
        logger=logger,
        message=message,
        exception=exception,
        attributes=attributes,
        uid=uuid4(),
    )

    factories.keep(given)

    kept = Record.objects.get(uid=given.uid)
    assert {name: getattr(kept, name) for name in given.__struct_fields__} == {
        name: getattr(given, name) for name in given.__struct_fields__
    }
    assert kept.received_at == NOW
