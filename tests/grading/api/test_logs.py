"""The log of changes: each with its author and ids, and no score, name or comment."""

import logging

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from grading.models import Course
from tests.grading import factories
from tests.grading.factories import TEACHER, Caller

pytestmark = pytest.mark.django_db

COURSE = "/v1/courses/algebra"


@pytest.fixture
def course() -> Course:
    return factories.course()


def test_every_change_of_a_course_is_logged_with_its_author(
    admin: Caller, teacher: Caller, course: Course, caplog: pytest.LogCaptureFixture
) -> None:
    homework = factories.category(course).pk
    caplog.set_level(logging.INFO, "grading")
    admin.post("/v1/terms", {"code": "t1", "title": "T", "starts_on": "2026-09-01", "ends_on": "2026-12-01"})
    teacher.post("/v1/courses", {"code": "geometry", "title": "Geometry"})
    teacher.patch(COURSE, {"scheme": "points"})
    work = teacher.post(f"{COURSE}/assignments", {"title": "Secret", "category": homework, "points": "5"}).json()["id"]
    teacher.patch(f"{COURSE}/categories/{homework}", {"weight": "12.34"})
    student = teacher.post(f"{COURSE}/students", {"name": "Ada Lovelace", "username": "ada"}).json()["id"]
    own = teacher.post(f"{COURSE}/enrollments", {"role": "assistant", "username": "mr-park"}).json()["id"]
    teacher.delete(f"{COURSE}/enrollments/{own}")
    teacher.patch(f"{COURSE}/categories/{homework}", {"weight": "lots"})
    teacher.get(COURSE)
    assert [record.getMessage() for record in caplog.records if record.name.startswith("grading")] == [
        "term added course=- id=t1 author=token:admin",
        f"course added course=- id=geometry author={TEACHER}",
        f"course changed course=algebra id=algebra author={TEACHER}",
        f"assignment added course=algebra id={work} author={TEACHER}",
        f"category changed course=algebra id={homework} author={TEACHER}",
        f"student added course=algebra id={student} author={TEACHER}",
        f"enrollment added course=algebra id={own} author={TEACHER}",
        f"enrollment deleted course=algebra id={own} author={TEACHER}",
    ]


def test_every_way_to_change_a_grade_is_logged_without_the_score(
    teacher: Caller,
    course: Course,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    work, ada = factories.assignment(course, "Secret", points=100), factories.student(course)
    cell = f"{ada.pk}-{work.pk}"
    caplog.set_level(logging.INFO, "grading")
    with django_capture_on_commit_callbacks(execute=True):
        stored = teacher.patch(f"/v1/grades/{cell}", {"score": "91.25", "comment": "hush"}, if_match='"0"').json()
        teacher.post(f"{COURSE}/changes/{stored['change']}:undo", {})
        row = {"student": ada.pk, "assignment": work.pk, "version": 2, "score": "92.25"}
        bulk = teacher.post(f"{COURSE}/grades:bulk", {"grades": [row]}).json()["batch"]["id"]
        teacher.post(f"{COURSE}/batches/{bulk}:undo", {})
        file = teacher.send("POST", f"{COURSE}/imports", "username,Secret\nada,93.25\n", content_type="text/csv").json()
        teacher.post(f"{COURSE}/imports/{file['id']}:confirm", {})
    told = [record.getMessage() for record in caplog.records if record.name.startswith("grading")]
    # What is told after the commit comes later here, where one transaction holds it all.
    assert sorted(each.split()[0] for each in told) == ["file", "grade", "grades", "grades", "grades", "grades"]
    for message in told:
        assert f"author={TEACHER}" in message
        assert cell in message or f"student={ada.pk} assignment={work.pk}" in message or "content=grades" in message
    text = caplog.text
    assert all(secret not in text for secret in ("91.25", "92.25", "93.25", "hush", "Ada", "Secret"))
