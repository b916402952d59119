"""Numbers that come as text, in ASCII digits: int() and float() also take `1_0`, `1e1` and those of any alphabet."""

import re
from argparse import ArgumentTypeError

_WHOLE = re.compile("[0-9]{1,18}")
_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9})?")


def is_whole(text: str) -> bool:
    """Whether it is a whole number from 0 on that 64 bits hold."""
    return _WHOLE.fullmatch(text) is not None


def whole(text: str) -> int:
    """The type of an option of a command. Raises ArgumentTypeError."""
    if not is_whole(text):
        raise ArgumentTypeError(f"{text[:40]!r} is not a whole number such as 10")
    return int(text)


def decimal(text: str) -> float:
    """As `whole`, with a sign or none, and a fraction or none."""
    if not _DECIMAL.fullmatch(text):
        raise ArgumentTypeError(f"{text[:40]!r} is not a number such as 10 or 2.5")
    return float(text)
