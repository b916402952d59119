"""Splits texts into the words of the full-text index, the same for every store."""

import re
import unicodedata

# A run of characters that are written without blanks between words is indexed one by one: a part of it is then found.
_IDEOGRAPHS = "\u2e80-\u2fff\u3040-\u30ff\u3100-\u312f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
_WORD = re.compile(rf"[{_IDEOGRAPHS}]|[^\W{_IDEOGRAPHS}]+")
_ASCII_WORD = re.compile(r"[a-z0-9_]+")
# Longer ones are cut in the index, as its engines have limits; `matches` compares the whole.
LONGEST_WORD = 128


def fold(text: str) -> str:
    """`text` as it is compared in any case: compatibility forms composed, case folded."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def words(folded: str) -> list[str]:
    """The words of a folded text, in order."""
    found = _ASCII_WORD.findall(folded) if folded.isascii() else _WORD.findall(folded)
    return [word if len(word) <= LONGEST_WORD else word[:LONGEST_WORD] for word in found]
