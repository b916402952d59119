"""Splits texts into the words of the full-text index, the same for every store."""

import re
import unicodedata
from functools import cache

# A run of characters that are written without blanks between words is indexed one by one: a part of it is then found.
_IDEOGRAPHS = "\u2e80-\u2fff\u3040-\u30ff\u3100-\u312f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
_WORD = re.compile(rf"[{_IDEOGRAPHS}]|[^\W{_IDEOGRAPHS}]+")
# Of each ASCII character: itself where it belongs to a word, else a blank.
_ASCII_WORDS = bytes(code if chr(code).isalnum() or code == ord("_") else ord(" ") for code in range(128)).ljust(256)
# Longer ones are cut in the index, as its engines have limits; `matches` compares the whole.
LONGEST_WORD = 128
# More marks on one character than any script uses (Unicode's UAX #15, Stream-Safe Text Format).
_MANY_MARKS = 31
# The last character of Unicode that is set upon the one before it is below.
_MARKS_END = 0x1E950


def fold(text: str) -> str:
    """`text` as it is compared in any case: compatibility forms composed, case folded."""
    if text.isascii():
        return text.lower()
    marks, many_marks = _marks()
    # A run of that many marks covers at least one of these positions.
    if not marks.isdisjoint(text[::_MANY_MARKS]):
        text = many_marks.sub(_in_order, text)
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def words(folded: str) -> list[str]:
    """The words of a folded text, in order."""
    # The table is several times as quick as a regular expression.
    is_ascii = folded.isascii()
    found = folded.encode().translate(_ASCII_WORDS).decode().split() if is_ascii else _WORD.findall(folded)
    if len(folded) <= LONGEST_WORD:
        return found
    return [word if len(word) <= LONGEST_WORD else word[:LONGEST_WORD] for word in found]


@cache
def _marks() -> tuple[frozenset[str], re.Pattern[str]]:
    """The marks, which are characters all of whose parts combine with what is before, and many of them in a row."""
    marks = [
        chr(code)
        for code in range(0x300, _MARKS_END)
        if all(map(unicodedata.combining, unicodedata.normalize("NFKD", chr(code))))
    ]
    return frozenset(marks), re.compile(f"[{''.join(marks)}]{{{_MANY_MARKS},}}")


def _in_order(marks: re.Match[str]) -> str:
    """The same marks, in the order that normalization gives them: it takes a time that grows with their square."""
    parts = "".join(unicodedata.normalize("NFKD", mark) for mark in marks[0])
    return "".join(sorted(parts, key=unicodedata.combining))
