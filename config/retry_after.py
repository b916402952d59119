"""Reads the header `Retry-After` of an answer, in both of its forms (RFC 9110, 10.2.3)."""

from datetime import datetime
from email.utils import parsedate_to_datetime

LONGEST_SECONDS = 3600.0


def seconds(value: str, *, now: datetime) -> float | None:
    """The seconds that it asks to wait, at most an hour; None where it says nothing."""
    if value.isascii() and value.isdecimal():
        return min(float(value), LONGEST_SECONDS)
    try:
        asked = (parsedate_to_datetime(value) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(asked, 0.0), LONGEST_SECONDS)
