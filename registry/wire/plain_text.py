"""Makes text from outside safe to show: nothing in it moves a terminal's cursor or reverses a line's direction."""

import unicodedata

from config import escaping

# Controls, formats (which hold the bidirectional marks), surrogates, private and unassigned, line and paragraph ends.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def escaped(text: str) -> str:
    r"""The text with each character that is not shown as itself in the form `\n`, `\x1b` or `\u202e`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        each.encode("unicode_escape").decode("ascii")
        if unicodedata.category(each) in _UNSAFE or escaping.is_acting(each)
        else each
        for each in text
    )
