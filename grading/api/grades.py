"""Grades: one, many, their history and their undoing."""

import re
from typing import Any

from django.http import Http404
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from config.problems import NotFound, PreconditionRequired
from grading import access, bulk, courses, gradebook, importing, models, representation, standings, undoing
from grading.api import answers, base, bodies, headers
from grading.drafts import BulkDraft, GradeDraft, GradePatch

MOST_CHANGES = 200
_GRADE_ID = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")


class Gradebook(base.CourseView):
    def get(self, request: Request, code: str) -> Response:
        places = standings.read_places(course=self.seat.course, student_ids=self.seat.shown_student_ids)
        return Response(answers.grades(self.read_plan(), places, self.seat))


class GradeView(base.StudentView):
    """Knows the assignment, too."""

    assignment: models.Assignment

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.assignment = self.find_assignment(kwargs["assignment_id"])

    def find_assignment(self, assignment_id: int) -> models.Assignment:
        return courses.find_assignment(
            course=self.seat.course, assignment_id=assignment_id, with_unpublished=self.seat.is_staff
        )

    def answer(self) -> Response:
        grade = gradebook.find_grade(student=self.student, assignment=self.assignment)
        body = answers.grade(self.seat, self.student.pk, self.assignment, grade)
        return Response(body, headers={"ETag": f'"{body["version"]}"'})

    def store(self, patch: GradePatch | GradeDraft, expected_version: int | None) -> Response:
        stored, standing = gradebook.record_grade(
            student_id=self.student_id,
            assignment=self.assignment,
            patch=patch,
            expected_version=expected_version,
            actor=self.actor,
            now=timezone.now(),
        )
        body = answers.stored_grade(self.assignment, stored, standing)
        return Response(body, status=200 if expected_version else 201, headers={"ETag": headers.etag(stored.grade)})

    def changes(self) -> Response:
        history = gradebook.history(student=self.student, assignment=self.assignment)
        return Response({"changes": answers.changes_of_grade(self.seat, self.assignment, history)})


class Grade(GradeView):
    def get(self, request: Request, code: str, student_id: int, assignment_id: int) -> Response:
        return self.answer()

    def put(self, request: Request, code: str, student_id: int, assignment_id: int) -> Response:
        expected_version = headers.expected_version(request)
        return self.store(bodies.decode(request, GradeDraft), expected_version)


class History(GradeView):
    def get(self, request: Request, code: str, student_id: int, assignment_id: int) -> Response:
        return self.changes()


class CellView(GradeView):
    """Finds the course by the grade's id, which is made of the student's and the assignment's."""

    found: models.Assignment | None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        match = _GRADE_ID.fullmatch(kwargs["grade_id"])
        if match is None:
            raise Http404
        student_id, assignment_id = map(int, match.groups())
        super().initial(request, student_id=student_id, assignment_id=assignment_id)

    def find_seat(self, address: dict[str, Any]) -> access.Seat:
        self.found = courses.read_assignment(assignment_id=address["assignment_id"])
        course = None if self.found is None else self.found.category.course
        return access.take_seat(actor=self.actor, course=course, code="")

    def find_assignment(self, assignment_id: int) -> models.Assignment:
        if self.found is None or not (self.found.published or self.seat.is_staff):
            return super().find_assignment(assignment_id)
        return self.found


class GradeById(CellView):
    def get(self, request: Request, grade_id: str) -> Response:
        return self.answer()

    def patch(self, request: Request, grade_id: str) -> Response:
        expected_version = headers.expected_version(request)
        patch = bodies.decode(request, GradePatch)
        if expected_version is None:
            grade = gradebook.find_grade(student=self.student, assignment=self.assignment)
            raise PreconditionRequired(
                f"Send the version you saw, such as `If-Match: {headers.etag(grade)}` for the grade in `theirs`.",
                theirs=representation.grade(grade),
            )
        return self.store(patch, expected_version)


class GradeInFull(CellView):
    """One grade with its course, student, assignment, totals and history."""

    def get(self, request: Request, grade_id: str) -> Response:
        standing = self.read_standing()
        history = gradebook.history_of(standing.grades.get(self.assignment.pk))
        return Response(answers.grade_in_full(self.seat, standing, self.assignment, history))


class HistoryById(CellView):
    def get(self, request: Request, grade_id: str) -> Response:
        return self.changes()


class Bulk(base.GraderView):
    def post(self, request: Request, code: str) -> Response:
        key = headers.idempotency_key(request)
        draft = bodies.decode(request, BulkDraft)
        body, is_repeated = bulk.store(
            course=self.seat.course, draft=draft, key=key, actor=self.actor, now=timezone.now()
        )
        return Response(body, headers={"Idempotency-Replayed": "true"} if is_repeated else {})


class Changes(base.GraderView):
    """The latest changes of a course, the newest first, and the names of whom and what they may be of."""

    def get(self, request: Request, code: str) -> Response:
        course = self.seat.course
        titles = standings.read_titles(course=course)
        page = gradebook.latest_changes(
            assignment_ids=[key for key, _ in titles],
            before=base.number(request, "before"),
            student_id=base.number(request, "student"),
            assignment_id=base.number(request, "assignment"),
            batch_id=base.number(request, "batch"),
            limit=base.number(request, "limit", default=50, at_most=MOST_CHANGES) or 0,
        )
        return Response(
            {
                "course": answers.course(self.seat),
                "changes": answers.changes(page),
                "students": [{"id": key, "name": name} for key, name in standings.read_names(course=course)],
                "assignments": [{"id": key, "title": title} for key, title in titles],
            }
        )


class UndoChange(base.GraderView):
    def post(self, request: Request, code: str, change_id: int) -> Response:
        found = models.GradeChange.objects.select_related("grade")
        change = found.filter(grade__assignment__category__course=self.seat.course, pk=change_id).first()
        if change is None:
            raise NotFound(f"There is no change {change_id} in {code!r}: GET /v1/courses/{code}/changes.")
        undone = undoing.undo_change(course=self.seat.course, change=change, actor=self.actor, now=timezone.now())
        return Response(answers.undone(undone), status=201)


class Batches(base.GraderView):
    def get(self, request: Request, code: str) -> Response:
        found = self.seat.course.batches.defer("file", "preview")[:MOST_CHANGES]
        batches = [representation.batch(each) for each in found]
        return Response({"course": answers.course(self.seat), "batches": batches})


class Batch(base.GraderView):
    def get(self, request: Request, code: str, batch_id: int) -> Response:
        return Response(representation.batch(find_batch(self.seat, batch_id)))


class UndoBatch(base.GraderView):
    def post(self, request: Request, code: str, batch_id: int) -> Response:
        batch = find_batch(self.seat, batch_id)
        if batch.content == importing.ROSTER:
            # The list of people is for the course's teachers.
            self.seat.require_editor()
        undone = undoing.undo_batch(course=self.seat.course, batch=batch, actor=self.actor, now=timezone.now())
        return Response(answers.undone(undone), status=201)


def find_batch(seat: access.Seat, batch_id: int) -> models.ImportBatch:
    """Raises NotFound."""
    batch = seat.course.batches.filter(pk=batch_id).first()
    if batch is None:
        raise NotFound(f"There is no batch {batch_id} in {seat.course.code!r}: GET .../batches lists those there are.")
    return batch
