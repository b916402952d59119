import pytest

from webui import entry
from webui.entry import Entry, Seen
from webui.upstream.grading_answers import Grade, Status


@pytest.mark.parametrize(
    ("typed", "score", "status"),
    [
        ("9.5", "9.5", Status.NONE),
        (" 9,5 ", "9.5", Status.NONE),
        ("", None, Status.NONE),
        ("EX", None, Status.EXCUSED),
        ("ex", None, Status.EXCUSED),
        ("missing", None, Status.MISSING),
        ("M", None, Status.MISSING),
        ("8 L", "8", Status.LATE),
        ("8,5late", "8.5", Status.LATE),
        ("I", None, Status.INCOMPLETE),
        ("abc", "abc", Status.NONE),
        ("-3", "-3", Status.NONE),
        ("85%", "85%", Status.NONE),
        ("1,234,567", "1.234,567", Status.NONE),
    ],
)
def test_what_is_typed_is_understood_or_left_for_grading_to_refuse(
    typed: str, score: str | None, status: Status
) -> None:
    assert entry.parse(typed) == Entry(score=score, status=status)


def test_a_number_typed_over_late_work_leaves_it_late_and_a_blank_does_not() -> None:
    assert entry.parse("9", was_late=True) == Entry(score="9", status=Status.LATE)
    assert entry.parse("", was_late=True) == Entry(score=None, status=Status.NONE)
    assert entry.parse("EX", was_late=True) == Entry(score=None, status=Status.EXCUSED)


@pytest.mark.parametrize(
    "grade",
    [
        Grade(),
        Grade(score="9.5", version=3),
        Grade(score="8", status=Status.LATE, version=12),
        Grade(status=Status.EXCUSED, version=1),
    ],
)
def test_a_grade_is_read_again_as_it_is_written(grade: Grade) -> None:
    assert entry.parse(entry.write(grade)) == Entry(score=grade.score, status=grade.status)
    assert entry.read_seen(entry.write_seen(grade)) == Seen(version=grade.version, is_late=grade.status is Status.LATE)


@pytest.mark.parametrize("token", ["", "x", "3LL", "-1", "٣", "1" * 20])
def test_what_is_no_token_is_a_grade_that_nobody_stored(token: str) -> None:
    assert entry.read_seen(token) == Seen(version=0)


@pytest.mark.parametrize(("score", "is_above"), [("10", False), ("10.5", True), (None, False), ("abc", False)])
def test_a_score_above_the_points_is_told(score: str | None, is_above: bool) -> None:
    assert entry.is_above(score, "10") is is_above
