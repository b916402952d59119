from hypothesis import given
from hypothesis import strategies as st

from config import escaping


@given(st.text(st.characters()))
def test_what_is_shown_acts_on_no_terminal(text: str) -> None:
    assert not any(map(escaping.is_acting, escaping.visible(text)))


@given(st.text(st.characters(categories=["L", "N", "P", "S", "M"])))
def test_text_that_acts_on_nothing_is_shown_as_it_is(text: str) -> None:
    seen = "".join(character for character in text if not escaping.is_invisible(character))
    assert escaping.visible(seen) == seen


def test_characters_that_act_are_shown_by_their_code() -> None:
    assert escaping.visible("a\x1b[2J\u202eb\nc") == "a\\x1b[2J\\u202eb\\x0ac"
    assert escaping.visible("a\nb\tc", keep="\n") == "a\nb\\x09c"


def test_what_nobody_would_see_is_shown_by_its_code_but_for_what_emoji_need() -> None:
    assert escaping.visible("a\u200bb\u3164c\U000e0061") == "a\\u200bb\\u3164c\\U000e0061"
    assert escaping.visible("\u26a0\ufe0f") == "\u26a0\ufe0f"
