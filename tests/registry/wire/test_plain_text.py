import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from registry.wire.plain_text import escaped


@given(st.text())
def test_whatever_is_escaped_neither_moves_a_cursor_nor_turns_a_line(text: str) -> None:
    shown = escaped(text)

    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert escaped(shown) == shown
    shown.encode()


def test_ordinary_text_of_any_language_stays_as_it_is() -> None:
    assert escaped("naïve café, 東京, עברית") == "naïve café, 東京, עברית"
    assert escaped("a\nb\x1b[31m\u202ec") == r"a\nb\x1b[31m\u202ec"
