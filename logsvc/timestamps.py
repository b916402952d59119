"""Points in time as senders write them."""

import re
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")
# A number below the first bound counts seconds, below the next milliseconds, microseconds, and else nanoseconds: each
# bound lies past the year 5000 in its own unit and before 1974 in the next one.
_SECONDS_BELOW, _MILLISECONDS_BELOW, _MICROSECONDS_BELOW = 10**11, 10**14, 10**17
RULE = "use RFC 3339, such as 2026-11-23T12:00:00Z, or unix seconds or nanoseconds"


def moment(value: str | int | float) -> datetime:
    """The time in UTC that `value` names: ISO 8601 (UTC where it has no offset) or a unix time. Raises ValueError."""
    try:
        if isinstance(value, str):
            value = value.strip()
            if not _NUMBER.fullmatch(value):
                return _from_text(value)
            value = float(value) if "." in value else int(value)
        return _EPOCH + timedelta(microseconds=_microseconds(value))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{str(value)[:40]!r} is not a time: {RULE}") from error


def wire(time: datetime) -> str:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _from_text(value: str) -> datetime:
    time = datetime.fromisoformat(value)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _microseconds(number: int | float) -> int:
    """Whole numbers are computed exactly: nanoseconds have more digits than a float."""
    size = abs(number)
    if size < _SECONDS_BELOW:
        return round(number * 1_000_000)
    if size < _MILLISECONDS_BELOW:
        return round(number * 1000)
    return int(number) if size < _MICROSECONDS_BELOW else int(number) // 1000
