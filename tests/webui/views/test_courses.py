import re

import pytest
from django.test import Client

from tests.webui.faked.world import World

NAME = re.compile(r'<th scope="row"><a [^>]*>([^<]+)</a>')


def names(page: bytes) -> list[str]:
    return NAME.findall(page.decode())


def test_a_teacher_sees_the_courses(world: World, teacher: Client) -> None:
    assert "Mathematics I" in teacher.get("/courses").content.decode()


def test_grading_is_asked_for_the_person_who_is_signed_in(world: World, teacher: Client) -> None:
    teacher.get("/courses")
    [call] = world.grading.calls
    assert call.headers["rollcall-act-for"] == "teacher"


def test_a_course_lists_its_students_with_their_averages(world: World, teacher: Client) -> None:
    world.grading.put(2, 1, score="9.5")
    page = teacher.get("/courses/math-1").content
    assert "Alan Turing" in names(page)
    assert "95.00 %" in page.decode()


def test_a_student_without_grades_has_no_average_rather_than_zero(world: World, teacher: Client) -> None:
    page = teacher.get("/courses/math-1").content.decode()
    assert "nothing graded yet" in page
    assert "0.00" not in page


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("turing", ["Alan Turing"]),
        ("J kath", ["Katherine Johnson"]),
        ("édouard", ["Édouard Lucas"]),
        ("edouard", ["Édouard Lucas"]),
        ("nobody", []),
        ("<b>", []),
    ],
)
def test_students_are_found_by_parts_of_their_name(world: World, teacher: Client, text: str, found: list[str]) -> None:
    assert names(teacher.get("/courses/math-1", {"q": text}).content) == found


def test_the_filter_answers_htmx_with_the_list_alone(world: World, teacher: Client) -> None:
    headers = {"HX-Request": "true", "HX-Target": "students"}
    page = teacher.get("/courses/math-1", {"q": "ada"}, headers=headers).content
    assert names(page) == ["Ada Lovelace"]
    assert b"<html" not in page


def test_the_way_back_to_a_filtered_list_is_a_whole_page(world: World, teacher: Client) -> None:
    headers = {"HX-Request": "true", "HX-History-Restore-Request": "true", "HX-Target": "students"}
    assert b"<html" in teacher.get("/courses/math-1", headers=headers).content


def test_a_course_leads_a_student_to_their_own_grades(world: World, student: Client) -> None:
    assert student.get("/courses/math-1").headers["Location"] == "/courses/math-1/students/1"


def test_a_course_that_is_not_there_is_not_found(world: World, teacher: Client) -> None:
    assert teacher.get("/courses/alchemy").status_code == 404


def test_without_grading_the_pages_say_what_they_cannot_show_and_since_when(world: World, teacher: Client) -> None:
    world.down.add("grading")
    for address, hidden in (("/courses", "Your courses"), ("/courses/math-1", "The students of this course")):
        page = teacher.get(address)
        text = page.content.decode()
        assert page.status_code == 200
        assert "The grading service has been down since <time" in text
        assert hidden in text


def test_the_registry_knows_better_since_when_grading_is_down(world: World, teacher: Client) -> None:
    world.down.add("grading")
    world.registry.become("grading", "critical")
    assert 'datetime="2026-11-23T12:00:00.000Z"' in teacher.get("/courses").content.decode()


def test_without_grading_and_registry_the_pages_still_answer(world: World, teacher: Client) -> None:
    world.down |= {"grading", "registry"}
    assert "has been down since <time" in teacher.get("/courses").content.decode()


def test_a_notice_that_asks_again_in_vain_is_not_drawn_anew(world: World, teacher: Client) -> None:
    headers = {"HX-Request": "true", "HX-Target": "main", "HX-Trigger": "outage"}
    world.down.add("grading")
    assert teacher.get("/courses", headers=headers).status_code == 204
    world.down.clear()
    assert "Mathematics I" in teacher.get("/courses", headers=headers).content.decode()


def test_a_filter_without_grading_turns_the_whole_page_into_the_notice(world: World, teacher: Client) -> None:
    world.down.add("grading")
    answer = teacher.get("/courses/math-1", {"q": "a"}, headers={"HX-Request": "true", "HX-Target": "students"})
    assert (answer.headers["HX-Retarget"], answer.headers["HX-Reselect"]) == ("#main", "#main")
    assert 'hx-get="/courses/math-1?q=a"' in answer.content.decode()
