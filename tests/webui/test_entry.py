import pytest
from hypothesis import given
from hypothesis import strategies as st

from webui import entry
from webui.upstream.grading import Grade


@pytest.mark.parametrize(
    ("typed", "score", "excused"),
    [("9.5", "9.5", False), (" 9,5 ", "9.5", False), ("", None, False), ("ex", None, True), ("nine", "nine", False)],
)
def test_what_is_typed_becomes_a_grade(typed: str, score: str | None, excused: bool) -> None:
    assert entry.parse({"score": typed, "version": "3"}).grade == Grade(score=score, excused=excused, version=3)


def test_a_ticked_box_excuses_whatever_was_typed() -> None:
    assert entry.parse({"score": "7", "excused": "on", "version": "1"}).grade == Grade(
        score="7", excused=True, version=1
    )


def test_the_comment_is_handed_on_as_it_was_stored() -> None:
    assert entry.parse({"comment": "late,\r\nbut good"}).comment == "late,\nbut good"


@given(st.dictionaries(st.sampled_from(["score", "version", "comment", "excused"]), st.text()))
def test_no_form_is_too_odd_to_be_read(form: dict[str, str]) -> None:
    grade = entry.parse(form).grade
    assert grade.version >= 0
    assert grade.score != ""
