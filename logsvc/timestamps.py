"""Points in time as senders write them, in nanoseconds since 1970 and UTC."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from logsvc.record import NANOSECONDS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,3})?")
_TEXT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]+))?)?"
    r" ?([Zz]|[+-][0-9]{2}:?[0-9]{2})?"
)
_SECOND = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}")
# A number below the first bound counts seconds, below the next milliseconds, microseconds, and else nanoseconds: each
# bound lies past the year 5000 in its own unit and before 1974 in the next one.
_SECONDS_BELOW, _MILLISECONDS_BELOW, NANOSECONDS_FROM = 10**11, 10**14, 10**17
HIGHEST_NS, LOWEST_NS = 2**63 - 1, -(2**63)
RULE = "use RFC 3339, such as 2026-11-23T12:00:00Z, or unix seconds or nanoseconds"


class OutOfRange(ValueError):
    """A time that nanoseconds in 64 bits do not reach: before 1677 or after 2262."""


def nanoseconds(value: str | int | float) -> int:
    """The time that `value` names: RFC 3339 (UTC where it has no offset) or a unix time, of which a part of a
    nanosecond is cut. Raises ValueError, and OutOfRange for a time that cannot be kept.
    """
    try:
        if isinstance(value, str):
            # As nearly every sender writes it; the seconds of a batch are few.
            if value[-1:] == "Z" and (found := _from_usual_text(value)) is not None:
                return found
            value = value.strip()
            if not _NUMBER.fullmatch(value):
                return _in_range(_from_text(value), value)
            value = float(value) if not value.lstrip("-").isdecimal() else int(value)
        return _in_range(from_number(value), value)
    except OutOfRange:
        raise
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{str(value)[:40]!r} is not a time: {RULE}") from error


def wire(time_ns: int) -> str:
    """RFC 3339 in UTC with microseconds, and with nanoseconds where there are any."""
    seconds, rest = divmod(time_ns, NANOSECONDS)
    digits = f"{rest:09d}" if rest % 1000 else f"{rest // 1000:06d}"
    return f"{_second(seconds)}.{digits}Z"


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()


def from_datetime(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(microseconds=1) * 1000


def _from_usual_text(value: str) -> int | None:
    """The time of a text such as 2026-11-23T12:00:00.250Z; None for any other."""
    second = _nanoseconds_of_second(value[:19])
    if second is None or value[19] == "Z":
        return second if value[20:] == "" else None
    digits = value[20:-1]
    if value[19] != "." or not 0 < len(digits) <= 9 or not (digits.isascii() and digits.isdecimal()):
        return None
    return second + int(digits.ljust(9, "0"))


@lru_cache(maxsize=4096)
def _nanoseconds_of_second(text: str) -> int | None:
    """A second that a 64-bit number of nanoseconds holds, such as 2026-11-23T12:00:00; None for any other text."""
    if not _SECOND.fullmatch(text):
        return None
    time_ns = _from_text(text)
    return time_ns if LOWEST_NS <= time_ns <= HIGHEST_NS - NANOSECONDS else None


def _from_text(value: str) -> int:
    match = _TEXT.fullmatch(value)
    if match is None:
        time = datetime.fromisoformat(value)
        return from_datetime(time.replace(tzinfo=UTC) if time.tzinfo is None else time)
    date, minute, seconds, fraction, offset = match.groups()
    if seconds is not None and int(seconds) > 60:
        raise ValueError("a minute has sixty seconds")
    base = _minute(date, minute) + int(seconds or 0)
    if offset is not None and offset not in "Zz":
        ahead_hours, ahead_minutes = int(offset[1:3]), int(offset[-2:])
        if ahead_hours > 23 or ahead_minutes > 59:
            raise ValueError("an offset is less than a day")
        base -= (ahead_hours * 3600 + ahead_minutes * 60) * (-1 if offset[0] == "-" else 1)
    return base * NANOSECONDS + int((fraction or "0")[:9].ljust(9, "0"))


@lru_cache(maxsize=4096)
def _minute(date: str, minute: str) -> int:
    return (datetime.fromisoformat(f"{date}T{minute}").replace(tzinfo=UTC) - _EPOCH) // timedelta(seconds=1)


def from_number(number: int | float) -> int:
    """The time that a number of seconds, milliseconds, microseconds or nanoseconds means, whichever its size says.

    Whole numbers are computed exactly: nanoseconds have more digits than a float.
    """
    size = abs(number)
    if size < _SECONDS_BELOW:
        return number * NANOSECONDS if isinstance(number, int) else round(number * 1_000_000) * 1000
    if size < _MILLISECONDS_BELOW:
        return number * 1_000_000 if isinstance(number, int) else round(number * 1000) * 1000
    return int(number) * 1000 if size < NANOSECONDS_FROM else int(number)


def _in_range(time_ns: int, value: object) -> int:
    if not LOWEST_NS <= time_ns <= HIGHEST_NS:
        raise OutOfRange(f"{str(value)[:40]!r} is before 1677 or after 2262")
    return time_ns
