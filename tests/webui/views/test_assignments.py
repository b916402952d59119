import re

import pytest
from django.test import Client

from grading.models import Status
from tests.webui.faked.grading import Grading
from webui.upstream import grading
from webui.upstream.grading_answers import AssignmentInFull

COURSE = "/courses/math-1"


def test_an_assignment_shows_its_spread_and_its_bars_lead_to_students(math: Grading, teacher: Client) -> None:
    for number, score in enumerate(("10", "9.5", "4")):
        math.put(number, 0, score)
    address = f"{COURSE}/assignments/{math.assignments[0].pk}"
    text = teacher.get(address).content.decode()
    assert 'href="?from=4&amp;to=5" aria-label="1 from 40 %"' in text
    assert "3 / 5" in text
    found = teacher.get(address, {"from": "4", "to": "5"}).content.decode()
    assert "Grace Hopper" in found
    assert "Ada Lovelace" not in found


def test_the_ungraded_are_set_at_once_and_nobody_else(math: Grading, teacher: Client) -> None:
    math.put(0, 0, "10")
    math.put(1, 0, None, status=Status.EXCUSED)
    address = f"{COURSE}/assignments/{math.assignments[0].pk}"
    text = teacher.post(f"{address}/ungraded", {"score": "0"}, follow=True).content.decode()
    assert "3 grades are set to 0." in text
    assert [math.score(number) for number in range(5)] == ["10", None, "0", "0", "0"]
    found = re.search(r'name="batch" value="(\d+)"', text)
    assert found
    teacher.post(f"{COURSE}/undo", {"batch": found[1]})
    assert [math.score(number) for number in range(5)] == ["10", None, None, None, None]
    for wrong, said in (("12", "more than the 10 points"), ("", "Write the grade to set"), ("abc", "")):
        text = teacher.post(f"{address}/ungraded", {"score": wrong}, follow=True).content.decode()
        assert said in text


def test_one_who_was_ungraded_is_one_grade_and_whom_somebody_graded_meanwhile_is_left(
    math: Grading, teacher: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        math.put(number, 0, "10")
    address, read = f"{COURSE}/assignments/{math.assignments[0].pk}", grading.assignment

    def read_then_lose_the_race(person: str, code: str, assignment: int) -> AssignmentInFull:
        found = read(person, code, assignment)
        math.put(4, 0, "6", by="ms-baker")
        return found

    with monkeypatch.context() as patched:
        patched.setattr(grading, "assignment", read_then_lose_the_race)
        answer = teacher.post(f"{address}/ungraded", {"score": "0"})
    assert "ms-baker has graded here meanwhile" in teacher.get(answer.headers["Location"]).content.decode()
    assert math.score(4) == "6"
    math.put(4, 0, None)
    assert "1 grade is set to 0." in teacher.post(f"{address}/ungraded", {"score": "0"}, follow=True).content.decode()


def test_an_assignment_that_is_not_there_is_not_found(math: Grading, teacher: Client) -> None:
    assert teacher.get(f"{COURSE}/assignments/999999").status_code == 404
