"""Students: who they are, their grades, reports, explanations and what-ifs."""

from typing import Any

from django.db.models import Q
from rest_framework.request import Request
from rest_framework.response import Response

from config.problems import Invalid, NotFound
from grading import access, models, representation, standings
from grading.api import answers, base, bodies
from grading.drafts import WhatIfDraft

MOST_STUDENTS = 500


class InCourse(base.StudentView):
    def get(self, request: Request, code: str, student_id: int) -> Response:
        return Response(answers.student_in_full(self.seat, self.read_standing()))


class Students(base.View):
    """The students whom the actor may see in any course, in pages by id."""

    def get(self, request: Request) -> Response:
        limit = base.number(request, "limit", default=100, at_most=MOST_STUDENTS) or 0
        after = base.number(request, "after", default=0)
        found = access.visible_students(actor=self.actor).filter(pk__gt=after).order_by("pk")
        if text := request.query_params.get("q", "").replace("\0", ""):
            found = found.filter(Q(name__icontains=text) | Q(username__icontains=text) | Q(sis_id=text))
        page = list(found[: limit + 1])
        return Response(
            {
                "students": [representation.student(student) for student in page[:limit]],
                "next": page[limit - 1].pk if limit and len(page) > limit else None,
            }
        )


class StudentView(base.View):
    """Knows the student and the actor's places in the student's courses."""

    student: models.Student
    seats: list[access.Seat]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        student = access.visible_students(actor=self.actor).filter(pk=kwargs["student_id"]).first()
        if student is None:
            raise NotFound(f"There is no student {kwargs['student_id']} that you may see: GET /v1/students.")
        self.student = student
        seats = access.list_seats(actor=self.actor, student_id=student.pk)
        self.seats = [seat for seat in seats if seat.is_staff or student.pk in seat.student_ids]

    def read_standing(self, seat: access.Seat) -> standings.Standing:
        plan = standings.read_plan(course=seat.course, with_unpublished=seat.is_staff)
        return standings.read_standing(plan=plan, student=self.student)

    def seat(self, code: str | None) -> access.Seat:
        """The one that is named, or the only one there is. Raises Invalid and NotFound."""
        if code is None and len(self.seats) == 1:
            return self.seats[0]
        codes = ", ".join(seat.course.code for seat in self.seats)
        if code is None:
            detail = f"Name the course, one of {codes}." if codes else "The student is in no course that you may see."
            raise Invalid("See `errors` for each member.", errors=[{"pointer": "/course", "detail": detail}])
        for seat in self.seats:
            if seat.course.code == code:
                return seat
        raise NotFound(f"The student is in no course {code!r} that you may see: those are {codes or 'none'}.")


class Student(StudentView):
    def get(self, request: Request, student_id: int) -> Response:
        return Response(
            {
                **representation.student(self.student),
                "courses": [answers.course(seat) for seat in self.seats],
            }
        )


class Grades(StudentView):
    def get(self, request: Request, student_id: int) -> Response:
        found = [answers.own_grades(seat, self.read_standing(seat)) for seat in self.seats]
        return Response({"grades": [grade for grades in found for grade in grades]})


class Report(StudentView):
    def get(self, request: Request, student_id: int) -> Response:
        return Response(self.report(request))

    def report(self, request: Request) -> dict[str, Any]:
        code = request.query_params.get("course")
        seats = self.seats if code is None else [self.seat(code)]
        enrollments = models.Enrollment.objects.filter(role=models.Role.STUDENT, student=self.student)
        by_course = {each.course_id: each for each in enrollments.select_related("section")}
        return {
            "student": representation.student(self.student),
            "courses": [
                answers.report(seat, self.read_standing(seat), by_course.get(seat.course.pk)) for seat in seats
            ],
        }


class Explain(StudentView):
    def get(self, request: Request, student_id: int) -> Response:
        seat = self.seat(request.query_params.get("course"))
        return Response(answers.explained(seat, self.read_standing(seat)))


class WhatIf(StudentView):
    """Totals with supposed scores; nothing is stored, so that reading suffices."""

    scopes = {**base.View.scopes, "POST": "read"}

    def post(self, request: Request, student_id: int) -> Response:
        draft = bodies.decode(request, WhatIfDraft)
        seat = self.seat(draft.course)
        standing = self.read_standing(seat)
        scores = {}
        for index, supposition in enumerate(draft.scores):
            if supposition.assignment not in standing.plan.assignments:
                detail = f"There is no assignment {supposition.assignment} in {seat.course.code!r}."
                raise Invalid(
                    "See `errors` for each member.",
                    errors=[{"pointer": f"/scores/{index}/assignment", "detail": detail}],
                )
            scores[supposition.assignment] = supposition.score
        supposed = standings.Supposed(
            plan=standing.plan, student=standing.student, grades=standing.grades, scores=scores
        )
        return Response(answers.explained(seat, supposed))
