"""Text of others made safe for a terminal or a page: what acts on the display is shown instead of done."""

import unicodedata
from bisect import bisect_right

# Control characters, formatting ones (which turn the direction of text), surrogates, private ones, line separators.
_ACTING = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
# First and last code points: Unicode's Default_Ignorable_Code_Point, and the marks of interlinear annotations. What
# differs in these alone looks the same.
INVISIBLE = (
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFB),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
# They choose between the picture and the plain form of a symbol, as in many an emoji.
PRESENTATION = frozenset("\ufe0e\ufe0f")
_FIRST = [first for first, _ in INVISIBLE]


def visible(text: str, *, keep: str = "") -> str:
    """`text` with each character that a terminal or a browser would act on written as its escape: ESC as \\x1b.

    `keep` holds those that stand, such as a newline.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(each) if is_acting(each) and each not in keep else each for each in text)


def is_acting(character: str) -> bool:
    """Whether it is a control, bidirectional, invisible or line-breaking character."""
    return unicodedata.category(character) in _ACTING or (is_invisible(character) and character not in PRESENTATION)


def is_invisible(character: str) -> bool:
    """Whether it shows no mark at all."""
    at = bisect_right(_FIRST, ord(character)) - 1
    return at >= 0 and ord(character) <= INVISIBLE[at][1]


def _shown(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
