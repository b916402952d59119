"""Splits texts into the words of the full-text index, the same for every store."""

import re
import unicodedata

# A run of characters that are written without blanks between words is indexed one by one: a part of it is then found.
_IDEOGRAPHS = "\u2e80-\u2fff\u3040-\u30ff\u3100-\u312f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
_WORD = re.compile(rf"[{_IDEOGRAPHS}]|[^\W{_IDEOGRAPHS}]+")
# Of each ASCII character: itself where it belongs to a word, else a blank.
_ASCII_WORDS = bytes(code if chr(code).isalnum() or code == ord("_") else ord(" ") for code in range(128)).ljust(256)
# Longer ones are cut in the index, as its engines have limits; `matches` compares the whole.
LONGEST_WORD = 128


def fold(text: str) -> str:
    """`text` as it is compared in any case: compatibility forms composed, case folded."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def words(folded: str) -> list[str]:
    """The words of a folded text, in order."""
    # The table is several times as quick as a regular expression.
    is_ascii = folded.isascii()
    found = folded.encode().translate(_ASCII_WORDS).decode().split() if is_ascii else _WORD.findall(folded)
    if len(folded) <= LONGEST_WORD:
        return found
    return [word if len(word) <= LONGEST_WORD else word[:LONGEST_WORD] for word in found]
