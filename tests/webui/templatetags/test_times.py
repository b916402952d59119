from collections.abc import Iterator
from datetime import datetime, timedelta
from datetime import timezone as fixed
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from webui.templatetags import times

MOMENT = datetime(2026, 11, 23, 14, 30, 5, 250_000, tzinfo=fixed(timedelta(hours=2)))
TOKYO = "Monday, 23 November 2026 at 21:30:05 UTC+0900 (2026-11-23T12:30:05.250Z)"


@pytest.fixture
def _reader_in_tokyo() -> Iterator[None]:
    with timezone.override(ZoneInfo("Asia/Tokyo")):
        yield


def test_a_time_is_in_utc_and_says_so_where_the_readers_zone_is_not_known() -> None:
    assert ">23 Nov 12:30:05 UTC</time>" in times.clock(MOMENT)
    assert ">23 Nov 12:30:05.250 UTC</time>" in times.moment(MOMENT)


@pytest.mark.usefixtures("_reader_in_tokyo")
def test_a_time_is_in_the_readers_zone_with_the_exact_one_in_its_title() -> None:
    assert times.clock(MOMENT) == f'<time datetime="2026-11-23T12:30:05.250Z" title="{TOKYO}">23 Nov, 21:30</time>'
    assert ">23 Nov, 21:30:05.250</time>" in times.moment(MOMENT)


@pytest.mark.usefixtures("_reader_in_tokyo")
def test_a_time_of_the_last_half_day_needs_no_day() -> None:
    moment = timezone.now() - timedelta(hours=11)
    local = moment.astimezone(ZoneInfo("Asia/Tokyo"))
    assert f">{local:%H:%M:%S}</time>" in times.clock(moment)


def test_an_age_reads_as_a_time_until_scripts_run() -> None:
    assert "data-age>23 Nov 12:30:05 UTC" in times.age(MOMENT)


def test_no_time_is_nothing() -> None:
    assert (times.clock(None), times.age(None)) == ("", "")
