"""The addresses below /v1/: parse, call, answer."""

from typing import Any, ClassVar, cast

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.tokens.issuing import Holder
from grading import access, courses, gradebook, models, representation, standings
from grading.api import answers, bodies, headers
from grading.drafts import AssignmentDraft, CourseDraft, GradeDraft, StudentDraft


class View(APIView):
    """Knows who acts."""

    scopes: ClassVar[dict[str, str]] = {"GET": "read", "HEAD": "read", "OPTIONS": "read", "*": "write"}
    parser_classes = [bodies.UndecodedParser]
    actor: access.Actor

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.actor = headers.actor(request, cast(Holder, request.user))


class CourseView(View):
    """Knows what the actor may do in the course that the address names; only its teachers may write."""

    seat: access.Seat

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.seat = access.find_seat(actor=self.actor, code=kwargs["code"])
        if self.scopes.get(request.method or "") != "read":
            self.seat.require_teacher()

    def read_plan(self) -> standings.Plan:
        return standings.read_plan(course=self.seat.course, with_unpublished=self.seat.is_teacher)

    def read_standings(self) -> list[standings.Standing]:
        return standings.read_standings(plan=self.read_plan(), student_id=self.seat.shown_student_id)


class StudentView(CourseView):
    """Knows the student whom the address names; a student may name nobody but themselves."""

    student: models.Student

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.seat.require_student(kwargs["student_id"])
        self.student = courses.find_student(course=self.seat.course, student_id=kwargs["student_id"])

    def read_standing(self) -> standings.Standing:
        return standings.read_standing(plan=self.read_plan(), student=self.student)


class GradeView(StudentView):
    """Knows the assignment, too."""

    assignment: models.Assignment

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.assignment = courses.find_assignment(
            course=self.seat.course, assignment_id=kwargs["assignment_id"], with_unpublished=self.seat.is_teacher
        )


class Courses(View):
    def get(self, request: Request) -> Response:
        return Response({"courses": [answers.course(seat) for seat in access.list_seats(actor=self.actor)]})

    def post(self, request: Request) -> Response:
        self.actor.require_own_rights()
        course = courses.create_course(draft=bodies.decode(request, CourseDraft))
        seat = access.find_seat(actor=self.actor, code=course.code)
        return Response(answers.course_in_full(seat), status=201, headers={"Location": f"/v1/courses/{course.code}"})


class Course(CourseView):
    def get(self, request: Request, code: str) -> Response:
        return Response(answers.course_in_full(self.seat))


class Students(CourseView):
    def get(self, request: Request, code: str) -> Response:
        return Response({"students": [answers.student(standing) for standing in self.read_standings()]})

    def post(self, request: Request, code: str) -> Response:
        draft = bodies.decode(request, StudentDraft)
        student, is_new = courses.enrol(course=self.seat.course, draft=draft, now=timezone.now())
        location = f"/v1/courses/{code}/students/{student.pk}"
        body = representation.student(student)
        return Response(body, status=201 if is_new else 200, headers={"Location": location})


class Assignments(CourseView):
    def get(self, request: Request, code: str) -> Response:
        plan = self.read_plan()
        return Response({"assignments": [representation.assignment(each) for each in plan.assignments.values()]})

    def post(self, request: Request, code: str) -> Response:
        draft = bodies.decode(request, AssignmentDraft)
        assignment = courses.create_assignment(course=self.seat.course, draft=draft)
        return Response(representation.assignment(assignment), status=201)


class Student(StudentView):
    def get(self, request: Request, code: str, student_id: int) -> Response:
        return Response(answers.student_in_full(self.seat, self.read_standing()))


class Gradebook(CourseView):
    def get(self, request: Request, code: str) -> Response:
        plan = self.read_plan()
        rows = standings.read_standings(plan=plan, student_id=self.seat.shown_student_id)
        return Response(answers.gradebook(self.seat, plan, rows))


class Grade(GradeView):
    def get(self, request: Request, code: str, student_id: int, assignment_id: int) -> Response:
        grade = gradebook.find_grade(student=self.student, assignment=self.assignment)
        return Response(answers.grade(self.assignment, grade), headers={"ETag": headers.etag(grade)})

    def put(self, request: Request, code: str, student_id: int, assignment_id: int) -> Response:
        expected_version = headers.expected_version(request)
        grade = gradebook.record_grade(
            student=self.student,
            assignment=self.assignment,
            draft=bodies.decode(request, GradeDraft),
            expected_version=expected_version,
            author=self.actor.author,
            now=timezone.now(),
        )
        body = answers.stored_grade(self.assignment, grade, self.read_standing())
        return Response(body, status=200 if expected_version else 201, headers={"ETag": headers.etag(grade)})


class History(GradeView):
    def get(self, request: Request, code: str, student_id: int, assignment_id: int) -> Response:
        changes = gradebook.history(student=self.student, assignment=self.assignment)
        return Response({"changes": [representation.change(change) for change in changes]})
