from hypothesis import given
from hypothesis import strategies as st

from config import escaping


@given(st.text(st.characters()))
def test_what_is_shown_acts_on_no_terminal(text: str) -> None:
    assert not any(map(escaping.is_acting, escaping.visible(text)))


@given(st.text(st.characters(categories=["L", "N", "P", "S", "M"])))
def test_text_that_acts_on_nothing_is_shown_as_it_is(text: str) -> None:
    assert escaping.visible(text) == text


def test_characters_that_act_are_shown_by_their_code() -> None:
    assert escaping.visible("a\x1b[2J\u202eb\nc") == "a\\x1b[2J\\u202eb\\x0ac"
    assert escaping.visible("a\nb\tc", keep="\n") == "a\nb\\x09c"
