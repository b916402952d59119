import time
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from logsvc.query.words import fold

# Marks of several classes, among them some that are made of two, and one of half a width.
MARKS = st.sampled_from("\u0300\u0316\u0301\u0327\u0344\u0f73\u0f75\u0f81\u1ab0\U0001d165\uff9e")


@given(st.lists(st.text(max_size=3) | st.text(MARKS, min_size=25, max_size=80), max_size=4).map("".join))
def test_a_text_is_folded_as_unicode_says_however_many_marks_a_character_has(text: str) -> None:
    assert fold(text) == unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def test_a_text_of_marks_alone_takes_no_time_that_grows_with_its_square() -> None:
    began = time.thread_time()
    fold("a" + "\u0300\u0316" * 32_000)

    # It took 20 s.
    assert time.thread_time() - began < 2
