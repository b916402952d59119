import re

from django.test import Client

from grading.models import Status
from tests.webui.faked.grading import Grading

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


def test_an_assignment_that_is_not_there_is_not_found(math: Grading, teacher: Client) -> None:
    assert teacher.get(f"{COURSE}/assignments/999999").status_code == 404
