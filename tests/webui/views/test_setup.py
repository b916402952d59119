from collections.abc import Callable

import pytest
from django.test import Client

from grading.models import Assignment, Category, Course, Enrollment, GradeScale, Term
from tests.webui.faked.grading import Grading
from webui.roles import Role

SETUP = "/courses/math-1/setup"


def test_what_a_course_needs_is_added_and_changed(math: Grading, teacher: Client) -> None:
    teacher.post(f"{SETUP}/categories/new", {"title": "Quizzes", "kind": "quiz", "weight": "12,5", "drop_lowest": "1"})
    category = Category.objects.get(title="Quizzes")
    assert (str(category.weight), category.drop_lowest) == ("12.50", 1)
    form = {"title": "Quiz 1", "category": str(category.pk), "kind": "quiz", "points": "15", "published": "on"}
    teacher.post(f"{SETUP}/assignments/new", {**form, "due_on": "2026-12-01"})
    assignment = Assignment.objects.get(title="Quiz 1")
    assert (str(assignment.due_on), assignment.posted) == ("2026-12-01", False)
    teacher.post(f"{SETUP}/assignments/{assignment.pk}", {**form, "posted": "on", "points": "20"})
    assignment.refresh_from_db()
    assert (assignment.posted, assignment.due_on, str(assignment.points)) == (True, None, "20.00")
    teacher.post(f"{SETUP}/assignments/{assignment.pk}", {"delete": "yes"})
    assert not Assignment.objects.filter(title="Quiz 1").exists()
    teacher.post(f"{SETUP}/course", {"title": "Mathematics II", "scheme": "weighted"})
    assert Course.objects.get(code="math-1").title == "Mathematics II"


def test_a_course_has_a_term_and_letters_that_a_teacher_chooses(math: Grading, teacher: Client) -> None:
    term = Term.objects.create(code="2027-spring", title="Spring 2027", starts_on="2027-01-11", ends_on="2027-05-28")
    scale = GradeScale.objects.create(title="Pass or fail")
    for letter, least_percent in (("Pass", 60), ("Fail", 0)):
        scale.steps.create(letter=letter, least_percent=least_percent)
    page = teacher.get(f"{SETUP}/course").content.decode()
    assert '<option value="" selected>none</option><option value="2027-spring">Spring 2027</option>' in page
    form = {"title": "Mathematics I", "scheme": "points", "term": term.code, "scale": str(scale.pk)}
    assert teacher.post(f"{SETUP}/course", form).status_code == 302
    course = Course.objects.get(code="math-1")
    assert (course.term, course.scale) == (term, scale)
    assert (
        f'<option value="{scale.pk}" selected>Pass or fail</option>' in teacher.get(f"{SETUP}/course").content.decode()
    )
    assert "Pass" in teacher.get(SETUP).content.decode()
    teacher.post(f"{SETUP}/course", form | {"term": "", "scale": ""})
    course.refresh_from_db()
    assert (course.term, course.scale) == (None, None)

    teacher.post("/courses/+new", {"code": "algebra-2", "title": "Algebra II", "scheme": "points", "term": term.code})
    assert Course.objects.get(code="algebra-2").term == term


def test_people_are_added_moved_and_dropped(math: Grading, teacher: Client) -> None:
    teacher.post(f"{SETUP}/sections/new", {"title": "Morning"})
    form = {"name": "Mary Jackson", "username": "mary", "sis_id": "", "section": ""}
    answer = teacher.post(f"{SETUP}/students/new", {**form, "more": "yes"})
    assert answer.headers["Location"] == f"{SETUP}/students/new"
    enrollment = Enrollment.objects.get(student__username="mary")
    section = enrollment.course.sections.get()
    teacher.post(f"{SETUP}/enrollments/{enrollment.pk}", {"state": "dropped", "section": str(section.pk)})
    enrollment.refresh_from_db()
    assert (enrollment.state, enrollment.section) == ("dropped", section)
    text = teacher.get("/courses/math-1/people").content.decode()
    assert "Mary Jackson" in text
    assert "dropped" in text


def test_a_refused_form_keeps_what_was_typed(math: Grading, teacher: Client) -> None:
    answer = teacher.post(f"{SETUP}/categories/new", {"title": "Projects", "weight": "lots"})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="Projects"' in text
    assert 'value="lots"' in text
    assert "Not saved:" in text


@pytest.mark.parametrize("path", ["", "/course", "/categories/new"])
def test_an_assistant_looks_at_the_set_up_and_changes_nothing(math: Grading, assistant: Client, path: str) -> None:
    assert assistant.get(f"{SETUP}{path}").status_code == 200
    if path:
        answer = assistant.post(f"{SETUP}{path}", {"title": "Mine", "scheme": "points", "kind": "quiz", "weight": "0"})
        assert answer.status_code == 403
    assert not Category.objects.filter(title="Mine").exists()


def test_what_is_not_there_is_not_found(math: Grading, teacher: Client) -> None:
    for path in ("/categories/999999", "/nothing/new", "/students/1", "/observers/1"):
        assert teacher.get(f"{SETUP}{path}").status_code == 404


def test_a_teacher_opens_another_course_and_teaches_it(math: Grading, teacher: Client) -> None:
    answer = teacher.post("/courses/+new", {"code": "algebra-2", "title": "Algebra II", "scheme": "points"})

    assert answer.status_code == 302, answer.content.decode()
    assert teacher.get("/courses/algebra-2/setup").status_code == 200


def test_an_observer_is_added_and_sees_that_students_grades(
    math: Grading, teacher: Client, sign_in: Callable[..., Client]
) -> None:
    assert "Alan Turing" in teacher.get(f"{SETUP}/observers/new").content.decode()
    alan, ada = math.students[1].pk, math.students[0].pk
    teacher.post(f"{SETUP}/observers/new", {"username": "julius", "student": str(alan)})
    assert "julius" in teacher.get("/courses/math-1/people").content.decode()
    julius = sign_in("julius", Role.OBSERVER)
    assert julius.get(f"/courses/math-1/students/{alan}").status_code == 200
    assert julius.get(f"/courses/math-1/students/{alan}/report.pdf").headers["Content-Type"] == "application/pdf"
    assert julius.get(f"/courses/math-1/students/{ada}").status_code == 403
    assert julius.get(f"/courses/math-1/students/{ada}/report.pdf").status_code == 404
