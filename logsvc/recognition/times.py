"""Times as log files write them, in nanoseconds since 1970."""

import calendar
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

from logsvc.record import NANOSECONDS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO = re.compile(
    r"(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?\s?(Z|UTC|GMT|[+-]\d\d:?\d\d|[+-]\d\d)?"
)
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
# A file's clock may be a little ahead; beyond that, a date without a year is of the year before.
_AHEAD = timedelta(days=1)


def iso(text: str, zone: tzinfo) -> int | None:
    """RFC 3339 and its relatives: `/` in the date, a blank for the T, a comma, no offset (then it is of `zone`)."""
    found = _ISO.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    return exact(
        (int(year), int(month), int(day)), (int(hour), int(minute), int(second)), fraction or "", _zone(offset, zone)
    )


def exact(date: tuple[int, int, int], clock: tuple[int, int, int], fraction: str, zone: tzinfo) -> int | None:
    """The time in nanoseconds; None when there is no such date or time."""
    hour, minute, second = clock
    if second > 60 or minute > 59 or hour > 23:
        return None
    start = _hour(date, hour, zone)
    if start is None:
        return None
    return start + (minute * 60 + second) * NANOSECONDS + int(fraction[:9].ljust(9, "0"))


def month(name: str) -> int | None:
    return _MONTHS.get(name[:3].title())


def without_year(
    date: tuple[int, int], clock: tuple[int, int, int], fraction: str, zone: tzinfo, *, now: datetime
) -> int | None:
    """The last such date that is not after `now`."""
    for year in (now.year + 1, now.year, now.year - 1):
        time_ns = exact((year, *date), clock, fraction, zone)
        if time_ns is not None and time_ns <= nanoseconds(now + _AHEAD):
            return time_ns
    # The 29th of February is of the last leap year.
    if date != (2, 29):
        return None
    leap_years = (year for year in range(now.year, now.year - 9, -1) if calendar.isleap(year))
    return exact((next(leap_years), *date), clock, fraction, zone)


def offset(text: str, zone: tzinfo) -> tzinfo:
    return _zone(text, zone)


def nanoseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


@lru_cache(maxsize=1024)
def _hour(date: tuple[int, int, int], hour: int, zone: tzinfo) -> int | None:
    """The beginning of an hour, cached: most lines of a file share it with the line before."""
    try:
        return nanoseconds(datetime(*date, hour, tzinfo=zone))
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=64)
def _zone(text: str | None, zone: tzinfo) -> tzinfo:
    if not text:
        return zone
    if text in ("Z", "UTC", "GMT"):
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes)) if minutes < 1440 else zone
