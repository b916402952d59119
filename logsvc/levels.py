"""Severities as Python's logging counts them, and the names other senders have for them."""

from enum import IntEnum


class Level(IntEnum):
    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40
    CRITICAL = 50


LOWEST, HIGHEST = 0, 100
_SEVERITIES = {
    **{level.name: int(level) for level in Level},
    "NOTSET": 0,
    "TRACE": 5,
    "NOTICE": 25,
    "WARN": 30,
    "ERR": 40,
    "FATAL": 50,
    "CRIT": 50,
}


def severity(level: str | int) -> int:
    """The severity of a name in any case, or of a number, which is moved into 0 to 100. Raises ValueError."""
    if isinstance(level, str):
        known = _SEVERITIES.get(level.strip().upper())
        if known is not None:
            return known
        if not level.strip().isdecimal():
            raise ValueError(f"{level[:40]!r} is not a level: use {', '.join(Level.__members__)} or a number")
        level = int(level.strip()[:9])
    return min(max(level, LOWEST), HIGHEST)


def name(severity: int) -> str:
    """The highest of the five levels that `severity` reaches; what lies below DEBUG is called DEBUG too."""
    return Level(min(max(severity // 10 * 10, Level.DEBUG), Level.CRITICAL)).name
