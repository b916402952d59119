"""Grading answers any input; it explains what it refuses, and keeps nothing of it."""

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.test import Client
from rest_framework.request import Request as DRFRequest

from config.problems import Problem
from config.tokens import issuing
from grading import drafts
from grading.api import bodies
from grading.models import Assignment, Category, Course, Enrollment, Grade, GradeChange, Student
from tests import hostile
from tests.grading import factories
from tests.hostile import Request

pytestmark = pytest.mark.django_db

MODELS = (Course, Category, Student, Enrollment, Assignment, Grade, GradeChange)
COURSE = b'{"code": "other", "title": "Other", "scheme": "points", "teachers": ["ms-rivera"], "categories": []}'
CATEGORY = b'{"title": "Homework", "kind": "homework", "weight": "30", "drop_lowest": 1, "drop_highest": 0}'
STUDENT = b'{"name": "Bob", "username": "bob"}'
ASSIGNMENT = (
    b'{"title": "Other", "category": CATEGORY, "points": "10", "due_on": "2026-11-23", "published": true, '
    b'"extra_credit": false, "omit_from_final": false, "never_drop": false, "position": 1}'
)
GRADE = b'{"score": "9.5", "excused": false, "comment": "c"}'


@pytest.fixture(autouse=True)
def _token(db: None) -> None:
    issuing.create(name="anybody", scopes=["read", "write"], token="rct_anybody")
    issuing.create(name="webui", scopes=["read", "write", "act-for"], token="rct_webui")


@pytest.fixture
def ids() -> dict[str, int]:
    course = factories.course("algebra")
    student, assignment = factories.student(course), factories.assignment(course)
    factories.grade(student, assignment, "5")
    return {"student": student.pk, "assignment": assignment.pk, "CATEGORY": assignment.category_id}


ADDRESSES = [
    ("/v1/courses", "POST", COURSE),
    ("/v1/courses/algebra", "GET", b""),
    ("/v1/courses/algebra/students", "POST", STUDENT),
    ("/v1/courses/algebra/assignments", "POST", ASSIGNMENT),
    ("/v1/courses/algebra/gradebook", "GET", b""),
    ("/v1/courses/algebra/students/{student}", "GET", b""),
    ("/v1/courses/algebra/students/{student}/grades/{assignment}", "PUT", GRADE),
    ("/v1/courses/algebra/students/{student}/grades/{assignment}/history", "GET", b""),
    ("/rollcall/notify", "POST", b"{}"),
    ("/healthz", "GET", b""),
    ("/nowhere", "GET", b""),
]
DRAFTS: dict[str, type[Any]] = {
    "/v1/courses": drafts.CourseDraft,
    "/v1/courses/algebra/students": drafts.StudentDraft,
    "/v1/courses/algebra/assignments": drafts.AssignmentDraft,
    "/v1/courses/algebra/students/{student}/grades/{assignment}": drafts.GradeDraft,
}
TOKEN = {"Authorization": "Bearer rct_anybody"}
PERSON = {"Authorization": "Bearer rct_webui", "Rollcall-Act-For": factories.TEACHER}


@pytest.mark.parametrize(("path", "method", "sound"), ADDRESSES, ids=[path for path, _, _ in ADDRESSES])
def test_no_request_fails(ids: dict[str, int], path: str, method: str, sound: bytes) -> None:
    make = hostile.requests if path in ("/v1/courses", "/rollcall/notify") else hostile.own_requests
    requests = make(path.format(**ids), method=method, sound=_with_category(sound, ids))

    assert hostile.failures(requests, {"If-Match": '"1"', **TOKEN}, MODELS) == []


def test_no_request_of_a_person_fails(ids: dict[str, int]) -> None:
    path = "/v1/courses/algebra/students/{student}/grades/{assignment}".format(**ids)
    requests = hostile.requests(path, method="PUT", sound=GRADE)

    assert hostile.failures(requests, {"If-Match": '"1"', **PERSON}, MODELS) == []


@pytest.mark.parametrize(("path", "method", "sound"), ADDRESSES[:8], ids=[path for path, _, _ in ADDRESSES[:8]])
def test_what_the_others_are_made_of_is_sound(ids: dict[str, int], path: str, method: str, sound: bytes) -> None:
    request = Request(path=path.format(**ids), method=method, body=_with_category(sound, ids))

    assert request.send(Client(), {"If-Match": '"1"', **TOKEN}).status_code in (200, 201)


@pytest.mark.parametrize(("path", "method", "sound"), [each for each in ADDRESSES if each[1] != "GET"])
def test_no_body_fails(ids: dict[str, int], path: str, method: str, sound: bytes) -> None:
    altered = [*hostile.altered(_with_category(sound, ids)), *_courses_with_altered_categories(path)]
    if (draft := DRAFTS.get(path)) is not None:
        refused = {body: None for body in altered if not _is_decoded(body, draft)}
        # Those the parser refuses take one way out, which some of them show over HTTP.
        altered = [*(body for body in altered if body not in refused), *list(refused)[::20]]
    requests = [Request(path=path.format(**ids), method=method, body=body) for body in altered]

    assert hostile.failures(requests, {"If-Match": '"1"', **TOKEN}, MODELS) == []


def _is_decoded(body: bytes, draft: type[Any]) -> bool:
    """Whether the API takes this body for a draft; what it refuses it explains."""
    problem: Problem | None = None
    try:
        bodies.decode(cast(DRFRequest, SimpleNamespace(data=body)), draft)
    except Problem as refusal:
        problem = refusal
    assert problem is None or (400 <= problem.status < 500 and len(problem.detail) > 10)
    return problem is None


def _with_category(sound: bytes, ids: Mapping[str, int]) -> bytes:
    return sound.replace(b"CATEGORY", str(ids["CATEGORY"]).encode())


def _courses_with_altered_categories(path: str) -> Iterator[bytes]:
    if path == "/v1/courses":
        yield from (COURSE.replace(b"[]}", b"[" + each + b"]}") for each in hostile.altered(CATEGORY))
