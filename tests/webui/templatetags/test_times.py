from datetime import datetime, timedelta, timezone

from webui.templatetags import times

MOMENT = datetime(2026, 11, 23, 14, 30, 5, tzinfo=timezone(timedelta(hours=2)))


def test_a_time_reads_in_utc_until_scripts_turn_it_into_the_readers() -> None:
    expected = '<time datetime="2026-11-23T12:30:05.000Z" data-show="clock">23 Nov 12:30:05 UTC</time>'
    assert times.clock(MOMENT) == expected


def test_an_age_reads_as_a_time_until_scripts_run() -> None:
    assert "23 Nov 12:30:05 UTC" in times.age(MOMENT)


def test_no_time_is_nothing() -> None:
    assert (times.clock(None), times.age(None)) == ("", "")
