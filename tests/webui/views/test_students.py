from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from grading.api import files
from grading.models import Status
from tests.webui.faked.grading import Grading
from tests.webui.faked.world import World

COURSE = "/courses/math-1"


def page_of(math: Grading, client: Client, number: int = 0, suffix: str = "") -> str:
    return client.get(f"{COURSE}/students/{math.students[number].pk}{suffix}").content.decode()


def test_a_students_page_shows_the_tree_of_the_total(math: Grading, teacher: Client) -> None:
    math.put(0, 0, "9.5", comment="well done")
    math.put(0, 1, None, status=Status.EXCUSED)
    text = page_of(math, teacher)
    assert "95.00 %" in text
    assert "9.5 / 10 = 95.00 %" in text
    assert "well done" in text
    assert ">excused</span>" in text
    assert "9.5 / 110" in page_of(math, teacher, suffix="?total=final").replace(" 120", " 110")


def test_where_nothing_is_graded_the_total_is_not_zero(math: Grading, teacher: Client) -> None:
    assert '<span id="average">N/A</span>' in page_of(math, teacher)


def test_students_lead_to_the_next_and_the_previous(math: Grading, teacher: Client) -> None:
    text = page_of(math, teacher, 1)
    assert 'Previous</span><span class="visually-hidden">: Ada Lovelace' in text
    assert ": Grace Hopper" in text
    assert "2 / 5" in text


def test_missing_work_is_listed(math: Grading, teacher: Client) -> None:
    math.put(0, 2, None, status=Status.MISSING)
    assert f'<a href="#w{math.assignments[2].pk}">Homework 3</a>' in page_of(math, teacher)


def test_a_student_sees_their_own_posted_grades_and_changes_nothing(math: Grading, student: Client) -> None:
    math.put(0, 0, "9.25", comment="well done")
    math.put(0, 1, "3.75")
    math.assignments[1].posted = False
    math.assignments[1].save(update_fields=["posted"])
    text = page_of(math, student)
    assert "9.25" in text
    assert "well done" in text
    assert "3.75" not in text
    assert "data-v" not in text
    assert student.get(f"{COURSE}/students/{math.students[1].pk}").status_code == 403
    assert student.get(f"{COURSE}/cells/{math.cell(1)}").status_code == 403


def test_a_stored_grade_is_followed_by_the_totals_and_reasons_alone(math: Grading, teacher: Client) -> None:
    math.put(0, 0, "9")
    headers = {"HX-Request": "true", "HX-Target": "working"}
    text = teacher.get(f"{COURSE}/students/{math.students[0].pk}", headers=headers).content.decode()
    assert "<html" not in text
    assert f'id="r{math.assignments[0].pk}" class="reason" hx-swap-oob="true">counts' in text
    assert 'id="totals"' in text


def test_supposed_scores_change_the_totals_and_nothing_else(math: Grading, student: Client) -> None:
    math.put(0, 0, "5")
    text = page_of(math, student, suffix=f"/what-if?a{math.assignments[1].pk}=10")
    assert "75.00 %" in text
    assert "With 1 supposed score." in text
    assert math.stored(0, 1) is None


def test_a_supposed_score_asks_grading_once(math: Grading, student: Client) -> None:
    address = f"{COURSE}/students/{math.students[0].pk}/what-if?a{math.assignments[1].pk}=7,5"
    math.calls.clear()
    part = student.get(address, headers={"HX-Request": "true", "HX-Target": "supposed"}).content.decode()
    assert "75.00 %" in part
    assert "<html" not in part
    assert [call.method for call in math.calls] == ["POST"]
    math.calls.clear()
    page_of(math, student, suffix="/what-if")
    assert [call.method for call in math.calls] == ["GET"]


@pytest.mark.parametrize("wrong", ["abc", "-1", "1e9", "9.999"])
def test_what_is_no_score_cannot_be_supposed(math: Grading, student: Client, wrong: str) -> None:
    text = page_of(math, student, suffix=f"/what-if?a{math.assignments[1].pk}={wrong}")
    assert "Write numbers such as 9.5" in text
    assert f'value="{wrong}"' in text


def test_a_student_is_given_their_report_as_a_document(math: Grading, student: Client) -> None:
    answer = student.get(f"{COURSE}/students/{math.students[0].pk}/report.pdf")
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")


def test_while_too_many_reports_are_made_the_page_says_so(
    math: Grading, student: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    app: Any = apps.get_app_config("grading")
    monkeypatch.setattr(files, "DOCUMENT_WAIT_SECONDS", 0.0)

    with app.making_a_document:
        answer = student.get(f"{COURSE}/students/{math.students[0].pk}/report.pdf")

    assert (answer.status_code, answer["Retry-After"]) == (429, "2")
    assert "Too many reports" in answer.content.decode()


def test_without_grading_the_last_page_is_shown_and_cannot_be_changed(
    math: Grading, world: World, teacher: Client
) -> None:
    math.put(0, 0, "9.25")
    page_of(math, teacher)
    world.down.add("grading")
    text = page_of(math, teacher)
    assert "9.25" in text
    assert "data-read-only" in text
    assert "cannot be shown" in page_of(math, teacher, 1)
