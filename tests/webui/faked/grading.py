"""Grading's own API in this process, and one course in it: what the web UI asks is answered as in earnest."""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.test import RequestFactory
from django.urls import Resolver404, resolve

from config.tokens import issuing
from grading import courses, enrolling, gradebook, models
from grading.access import Actor
from grading.drafts import (
    AssignmentDraft,
    CategoryDraft,
    CourseDraft,
    EnrollmentDraft,
    GradePatch,
    StudentDraft,
)
from grading.models import Kind, Role, Scheme, Status
from tests.webui.faked.call import NOW, Answer, Call, problem

NAMES = ("Ada Lovelace", "Alan Turing", "Grace Hopper", "Katherine Johnson", "Édouard Lucas")
CODE = "math-1"


@dataclass
class Grading:
    """One course, of points: three pieces of homework of ten points each, and a test of a hundred."""

    students: list[models.Student] = field(default_factory=list)
    assignments: list[models.Assignment] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    # Answers to what was asked before, where nothing but a call changes anything between them.
    kept: dict[tuple[str | None, ...], Answer] | None = None
    _has_token: bool = False

    def begin_anew(self) -> "Grading":
        return Grading()

    def make_course(self) -> None:
        categories = (
            CategoryDraft(title="Homework", kind=Kind.HOMEWORK),
            CategoryDraft(title="Tests", kind=Kind.TEST),
        )
        draft = CourseDraft(
            code=CODE, title="Mathematics I", scheme=Scheme.POINTS, teachers=("teacher",), categories=categories
        )
        course = courses.create_course(draft=draft, now=NOW)
        assistant = EnrollmentDraft(role=Role.ASSISTANT, username="assistant")
        enrolling.create_enrollment(course=course, draft=assistant, now=NOW)
        homework, tests = course.categories.order_by("id")
        drafts = [AssignmentDraft(title=f"Homework {n}", category=homework.pk, points=Decimal(10)) for n in (1, 2, 3)]
        drafts.append(AssignmentDraft(title="Test 1", category=tests.pk, points=Decimal(100)))
        self.assignments = [courses.create_assignment(course=course, draft=each) for each in drafts]
        people = zip(NAMES, ("student", "alan", "grace", "katherine", "edouard"), strict=True)
        self.students = [
            enrolling.enrol(course=course, draft=StudentDraft(name=name, username=username), now=NOW)[0]
            for name, username in people
        ]

    def cell(self, student: int = 0, assignment: int = 0) -> str:
        """The cell at these places in the course."""
        return f"g{self.students[student].pk}-{self.assignments[assignment].pk}"

    def put(
        self,
        student: int,
        assignment: int,
        score: str | None,
        *,
        by: str = "teacher",
        status: Status = Status.NONE,
        comment: str = "",
    ) -> None:
        """Store a grade as somebody else would."""
        found = self.stored(student, assignment)
        gradebook.record_grade(
            student_id=self.students[student].pk,
            assignment=self.assignments[assignment],
            patch=GradePatch(score=None if score is None else Decimal(score), status=status, comment=comment),
            expected_version=found.version if found else 0,
            actor=Actor.person(by),
            now=NOW,
        )

    def stored(self, student: int = 0, assignment: int = 0) -> models.Grade | None:
        return gradebook.find_grade(student=self.students[student], assignment=self.assignments[assignment])

    def score(self, student: int = 0, assignment: int = 0) -> str | None:
        grade = self.stored(student, assignment)
        return None if grade is None or grade.score is None else f"{grade.score.normalize():f}"

    def answer(self, call: Call) -> Answer:
        self.calls.append(call)
        if self.kept is None:
            return self._made(call)
        if call.method != "GET":
            self.kept.clear()
            return self._made(call)
        key = (call.path, urlencode(call.query), *(call.headers.get(name) for name in _SENT))
        if key not in self.kept:
            self.kept[key] = self._made(call)
        return self.kept[key]

    def _made(self, call: Call) -> Answer:
        if not self._has_token:
            issuing.ensure(name="webui", scopes=["read", "write", "act-for"], token=settings.GRADING_TOKEN)
            self._has_token = True
        try:
            match = resolve(call.path, urlconf="grading.urls")
        except Resolver404:
            return problem(404, "not-found", "There is no such address.")
        headers = {name: value for name, value in call.headers.items() if name in _SENT}
        request = RequestFactory().generic(
            call.method,
            f"{call.path}?{urlencode(call.query)}",
            call.content,
            call.headers.get("content-type", "application/json"),
            headers=headers,
        )
        response: Any = match.func(request, *match.args, **match.kwargs)
        if hasattr(response, "render"):
            response.render()
        is_json = response.get("Content-Type", "").startswith(("application/json", "application/problem+json"))
        return response.status_code, json.loads(response.content) if is_json else response.content or None


_SENT = frozenset({"authorization", "rollcall-act-for", "if-match", "idempotency-key"})
