import pytest

from tests.webui.faked.world import World
from webui.upstream import grading
from webui.upstream.exchange import Refused
from webui.upstream.grading import Grade, Overtaken, Total


def test_a_record_is_read_whole(world: World) -> None:
    world.grading.put(1, 2, score="8.25", comment="good")
    record = grading.record("teacher", "math-1", 1)
    assert (record.student.name, record.current) == ("Ada Lovelace", Total(percent="82.50", letter="B"))
    assert record.assignments[1].grade.score == "8.25"
    assert record.assignments[0].grade == Grade()


def test_a_person_is_named_in_characters_that_a_header_may_hold(world: World) -> None:
    grading.courses("zoë@example")
    assert world.grading.calls[0].headers["rollcall-act-for"] == "zo%C3%AB%40example"


def test_the_version_that_was_seen_goes_with_the_grade(world: World) -> None:
    world.grading.put(1, 2, score="8")
    stored = grading.store("teacher", "math-1", 1, 2, Grade(score="9", version=1))
    assert (stored.grade.score, stored.grade.version) == ("9", 2)
    assert world.grading.calls[-1].headers["if-match"] == '"1"'


def test_whoever_was_overtaken_learns_by_what(world: World) -> None:
    world.grading.put(1, 2, score="8", by="ms-baker")
    with pytest.raises(Overtaken) as caught:
        grading.store("teacher", "math-1", 1, 2, Grade(score="9"))
    assert (caught.value.theirs.score, caught.value.theirs.updated_by) == ("8", "ms-baker")


def test_another_refusal_stays_one(world: World) -> None:
    with pytest.raises(Refused) as caught:
        grading.store("student", "math-1", 1, 2, Grade(score="9"))
    assert caught.value.status == 403


def test_a_code_cannot_leave_its_place_in_the_address(world: World) -> None:
    with pytest.raises(Refused):
        grading.course("teacher", "../services")
    assert world.grading.calls[0].path.startswith("/v1/courses/")
