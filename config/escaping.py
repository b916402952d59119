"""Text of others made safe for a terminal or a page: what acts on the display is shown instead of done."""

import unicodedata

# Control characters, formatting ones (which turn the direction of text), surrogates, private ones, line separators.
_ACTING = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def visible(text: str, *, keep: str = "") -> str:
    """`text` with each character that a terminal or a browser would act on written as its escape: ESC as \\x1b.

    `keep` holds those that stand, such as a newline.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(each) if is_acting(each) and each not in keep else each for each in text)


def is_acting(character: str) -> bool:
    """Whether it is a control, bidirectional, invisible or line-breaking character."""
    return unicodedata.category(character) in _ACTING


def _shown(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
