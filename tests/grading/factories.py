"""Courses, people and grades for tests, made in one call each."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.test import Client

from config.tokens import issuing
from grading import courses, enrolling, gradebook
from grading.access import Actor
from grading.drafts import AssignmentDraft, CategoryDraft, CourseDraft, GradeDraft, StudentDraft
from grading.models import Assignment, Category, Course, Grade, Kind, Scheme, Student

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer

TEACHER = "ms-rivera"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Somebody who asks the API over HTTP."""

    token: str
    act_for: str | None = None
    # Each client makes the middleware anew: those who act for others share one.
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False), compare=False)

    def acting_for(self, username: str | None) -> "Caller":
        return replace(self, act_for=username)

    def get(self, path: str, **headers: str) -> "Answer":
        return self.send("GET", path, None, **headers)

    def post(self, path: str, body: Any, **headers: str) -> "Answer":
        return self.send("POST", path, json.dumps(body), **headers)

    def patch(self, path: str, body: Any, **headers: str) -> "Answer":
        return self.send("PATCH", path, json.dumps(body), **headers)

    def delete(self, path: str) -> "Answer":
        return self.send("DELETE", path, None)

    def put(self, path: str, body: Any, **headers: str) -> "Answer":
        return self.send("PUT", path, json.dumps(body), **headers)

    def send(
        self,
        method: str,
        path: str,
        body: str | bytes | None,
        *,
        content_type: str = "application/json",
        **headers: str,
    ) -> "Answer":
        """Headers by their names in snake case: `if_match='"1"'`."""
        sent = {"Authorization": f"Bearer {self.token}"} | ({"Rollcall-Act-For": self.act_for} if self.act_for else {})
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.generic(method, path, body or b"", content_type, headers=sent)


def caller(name: str, *, scopes: list[str], act_for: str | None = None) -> Caller:
    return Caller(token=issuing.create(name=name, scopes=scopes), act_for=act_for)


def course(code: str = "algebra", *, scheme: Scheme = Scheme.WEIGHTED, drop_lowest: int = 0) -> Course:
    """A course taught by TEACHER, with the categories Homework (30 %) and Tests (70 %)."""
    categories = (
        CategoryDraft(title="Homework", kind=Kind.HOMEWORK, weight=Decimal(30), drop_lowest=drop_lowest),
        CategoryDraft(title="Tests", kind=Kind.TEST, weight=Decimal(70)),
    )
    draft = CourseDraft(code=code, title="Algebra", scheme=scheme, teachers=(TEACHER,), categories=categories)
    return courses.create_course(draft=draft, now=NOW)


def category(course: Course, kind: Kind = Kind.HOMEWORK) -> Category:
    return course.categories.get(kind=kind)


def student(course: Course, username: str = "ada") -> Student:
    draft = StudentDraft(name=username.title(), username=username)
    return enrolling.enrol(course=course, draft=draft, now=NOW)[0]


def assignment(
    course: Course, title: str = "Essay", *, points: int | str = 10, kind: Kind = Kind.HOMEWORK, **options: Any
) -> Assignment:
    draft = AssignmentDraft(title=title, category=category(course, kind).pk, points=Decimal(points), **options)
    return courses.create_assignment(course=course, draft=draft)


def grade(
    student: Student, assignment: Assignment, score: str | None, *, excused: bool = False, author: str = TEACHER
) -> Grade:
    """The first grade for that assignment."""
    draft = GradeDraft(score=None if score is None else Decimal(score), excused=excused)
    stored, _ = gradebook.record_grade(
        student_id=student.pk,
        assignment=assignment,
        patch=draft,
        expected_version=0,
        actor=Actor.person(author),
        now=NOW,
    )
    return stored.grade
