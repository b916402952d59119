"""Severities as OpenTelemetry numbers them, 1 to 24, and the names and numbers that senders have for them."""

from enum import IntEnum


class Severity(IntEnum):
    """The first number of each range; 0 means that the sender gave none."""

    UNSPECIFIED = 0
    TRACE = 1
    DEBUG = 5
    INFO = 9
    WARN = 13
    ERROR = 17
    FATAL = 21


HIGHEST = 24
RANGES = tuple(Severity)
_NUMBERS = {
    **{severity.name: int(severity) for severity in Severity if severity},
    **{f"{severity.name}{step + 1}": severity + step for severity in Severity if severity for step in (1, 2, 3)},
    "UNSPECIFIED": 0,
    "NONE": 0,
    "NOTSET": 0,
    "UNKNOWN": 0,
    "VERBOSE": 1,
    "FINEST": 1,
    "FINE": 5,
    "DBG": 5,
    "INFORMATION": 9,
    "INFORMATIONAL": 9,
    "NOTICE": 11,
    "WARNING": 13,
    "ERR": 17,
    "SEVERE": 17,
    "CRITICAL": 21,
    "CRIT": 21,
    "ALERT": 22,
    "EMERG": 23,
    "EMERGENCY": 23,
    "PANIC": 23,
}
# As most senders write them, so that no text is made of each.
_NUMBERS |= {name.lower(): number for name, number in _NUMBERS.items()}
# The five levels of Python's logging, which the old addresses answer with.
_PYTHON_NAMES = {
    Severity.UNSPECIFIED: "DEBUG",
    Severity.TRACE: "DEBUG",
    Severity.DEBUG: "DEBUG",
    Severity.INFO: "INFO",
    Severity.WARN: "WARNING",
    Severity.ERROR: "ERROR",
    Severity.FATAL: "CRITICAL",
}


def known(name: str) -> int | None:
    """The number of a level's name in any case, or None where it is no name that is known."""
    number = _NUMBERS.get(name)
    return number if number is not None else _NUMBERS.get(name.strip().upper())


def from_level(level: str | int) -> int:
    """The number of a level's name, or of one of Python's numbers (0 to 50 and more). Raises ValueError."""
    if isinstance(level, str):
        number = _NUMBERS.get(level)
        if number is None:
            number = known(level)
        if number is not None:
            return number
        if not (level.strip().isascii() and level.strip().isdecimal()):
            raise ValueError(f"{level[:40]!r} is not a level: use {', '.join(NAMES[1:])} or a number of Python's")
        level = int(level.strip()[:9])
    return from_python(level)


def from_python(level: int) -> int:
    """Python's 10, 20, 30, 40, 50 are 5, 9, 13, 17, 21; what lies between is mapped in proportion."""
    if level <= 0:
        return int(Severity.UNSPECIFIED)
    if level < 10:
        return 1 + level * 4 // 10
    return min(5 + (min(level, 100) - 10) * 4 // 10, HIGHEST)


def range_of(number: int) -> Severity:
    """The range that a number belongs to: 9 to 12 are INFO."""
    return RANGES[min((max(number, 0) + 3) // 4, len(RANGES) - 1)]


def python_name(number: int) -> str:
    return _PYTHON_NAMES[range_of(number)]


NAMES = tuple(severity.name for severity in RANGES)
