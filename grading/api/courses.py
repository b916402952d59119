"""Terms, scales, courses and what is in them: parse, call, answer."""

from dataclasses import replace
from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from grading import access, courses, enrolling, models, representation, standings, statistics
from grading.api import answers, base, bodies
from grading.drafts import (
    AssignmentDraft,
    AssignmentPatch,
    CategoryDraft,
    CategoryPatch,
    CourseDraft,
    CoursePatch,
    EnrollmentDraft,
    EnrollmentPatch,
    ScaleDraft,
    SectionDraft,
    StudentDraft,
    TermDraft,
)


class Terms(base.View):
    logs = "term"

    def get(self, request: Request) -> Response:
        return Response({"terms": [representation.term(term) for term in models.Term.objects.all()]})

    def post(self, request: Request) -> Response:
        self.actor.require_own_rights()
        term = courses.create_term(draft=bodies.decode(request, TermDraft))
        return Response(representation.term(term), status=201)


class Scales(base.View):
    logs = "scale"

    def get(self, request: Request) -> Response:
        scales = models.GradeScale.objects.prefetch_related("steps")
        return Response({"scales": [representation.scale(scale) for scale in scales]})

    def post(self, request: Request) -> Response:
        self.actor.require_own_rights()
        scale = courses.create_scale(draft=bodies.decode(request, ScaleDraft))
        return Response(representation.scale(scale), status=201)


class Courses(base.View):
    logs = "course"

    def get(self, request: Request) -> Response:
        return Response({"courses": [answers.course(seat) for seat in access.list_seats(actor=self.actor)]})

    def post(self, request: Request) -> Response:
        self.actor.require_teaching()
        draft = bodies.decode(request, CourseDraft)
        if self.actor.username is not None:
            draft = replace(draft, teachers=(self.actor.username, *draft.teachers))
        course = courses.create_course(draft=draft, now=timezone.now())
        seat = access.find_seat(actor=self.actor, code=course.code)
        return Response(answers.course_in_full(seat), status=201, headers={"Location": f"/v1/courses/{course.code}"})


class Course(base.CourseView):
    logs = "course"

    def get(self, request: Request, code: str) -> Response:
        return Response(answers.course_in_full(self.seat))

    def patch(self, request: Request, code: str) -> Response:
        courses.change_course(course=self.seat.course, patch=bodies.decode(request, CoursePatch))
        return Response(answers.course_in_full(access.find_seat(actor=self.actor, code=code)))


class Sections(base.CourseView):
    logs = "section"

    def get(self, request: Request, code: str) -> Response:
        return Response({"sections": [representation.section(each) for each in self.seat.course.sections.all()]})

    def post(self, request: Request, code: str) -> Response:
        section = courses.create_section(course=self.seat.course, draft=bodies.decode(request, SectionDraft))
        return Response(representation.section(section), status=201)


class Section(base.CourseView):
    logs = "section"
    section: models.Section

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.section = courses.find_section(course=self.seat.course, section_id=kwargs["section_id"])

    def get(self, request: Request, code: str, section_id: int) -> Response:
        return Response(representation.section(self.section))

    def patch(self, request: Request, code: str, section_id: int) -> Response:
        section = courses.change_section(section=self.section, draft=bodies.decode(request, SectionDraft))
        return Response(representation.section(section))

    def delete(self, request: Request, code: str, section_id: int) -> Response:
        courses.delete_section(section=self.section)
        return Response(status=204)


class Categories(base.CourseView):
    logs = "category"

    def get(self, request: Request, code: str) -> Response:
        return Response({"categories": [representation.category(each) for each in self.seat.course.categories.all()]})

    def post(self, request: Request, code: str) -> Response:
        category = courses.create_category(course=self.seat.course, draft=bodies.decode(request, CategoryDraft))
        return Response(representation.category(category), status=201)


class Category(base.CourseView):
    logs = "category"
    category: models.Category

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.category = courses.find_category(course=self.seat.course, category_id=kwargs["category_id"])

    def get(self, request: Request, code: str, category_id: int) -> Response:
        return Response(representation.category(self.category))

    def patch(self, request: Request, code: str, category_id: int) -> Response:
        category = courses.change_category(category=self.category, patch=bodies.decode(request, CategoryPatch))
        return Response(representation.category(category))

    def delete(self, request: Request, code: str, category_id: int) -> Response:
        courses.delete_category(category=self.category)
        return Response(status=204)


class Assignments(base.CourseView):
    logs = "assignment"

    def get(self, request: Request, code: str) -> Response:
        plan = self.read_plan()
        return Response({"assignments": [representation.assignment(each) for each in plan.assignments.values()]})

    def post(self, request: Request, code: str) -> Response:
        draft = bodies.decode(request, AssignmentDraft)
        assignment = courses.create_assignment(course=self.seat.course, draft=draft)
        return Response(representation.assignment(assignment), status=201)


class AssignmentView(base.CourseView):
    assignment: models.Assignment

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.assignment = courses.find_assignment(
            course=self.seat.course, assignment_id=kwargs["assignment_id"], with_unpublished=self.seat.is_staff
        )


class Assignment(AssignmentView):
    logs = "assignment"

    def get(self, request: Request, code: str, assignment_id: int) -> Response:
        return Response(representation.assignment(self.assignment))

    def patch(self, request: Request, code: str, assignment_id: int) -> Response:
        patch = bodies.decode(request, AssignmentPatch)
        assignment = courses.change_assignment(assignment=self.assignment, patch=patch)
        return Response(representation.assignment(assignment))

    def delete(self, request: Request, code: str, assignment_id: int) -> Response:
        courses.delete_assignment(assignment=self.assignment)
        return Response(status=204)


class Statistics(AssignmentView):
    """Statistics, for staff alone: of few scores, a student could tell whose they are."""

    def get(self, request: Request, code: str, assignment_id: int) -> Response:
        self.seat.require_staff()
        scores = standings.read_scores(assignment=self.assignment)
        found = statistics.summarize(scores, points=int(self.assignment.points * 100))
        return Response({"assignment": representation.assignment(self.assignment), **representation.statistics(found)})


class AssignmentInFull(base.StaffView):
    """An assignment with every student's grade and the statistics."""

    def get(self, request: Request, code: str, assignment_id: int) -> Response:
        plan = self.read_plan()
        assignment = courses.planned_assignment(plan=plan, assignment_id=assignment_id)
        return Response(answers.assignment_in_full(self.seat, plan, assignment))


class Enrollments(base.StaffView):
    logs = "enrollment"

    def get(self, request: Request, code: str) -> Response:
        return Response(
            {
                "course": answers.course(self.seat),
                "sections": [representation.section(each) for each in self.seat.course.sections.all()],
                "enrollments": answers.enrollments(self.seat.course),
            }
        )

    def post(self, request: Request, code: str) -> Response:
        draft = bodies.decode(request, EnrollmentDraft)
        students = access.enrollable_students(seat=self.seat)
        enrollment, is_new = enrolling.create_enrollment(
            course=self.seat.course, draft=draft, now=timezone.now(), students=students
        )
        return Response(representation.enrollment(enrollment), status=201 if is_new else 200)


class Enrollment(base.StaffView):
    logs = "enrollment"
    enrollment: models.Enrollment

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.enrollment = enrolling.find_enrollment(course=self.seat.course, enrollment_id=kwargs["enrollment_id"])

    def get(self, request: Request, code: str, enrollment_id: int) -> Response:
        return Response(representation.enrollment(self.enrollment))

    def patch(self, request: Request, code: str, enrollment_id: int) -> Response:
        patch = bodies.decode(request, EnrollmentPatch)
        return Response(representation.enrollment(enrolling.change_enrollment(enrollment=self.enrollment, patch=patch)))

    def delete(self, request: Request, code: str, enrollment_id: int) -> Response:
        enrolling.delete_enrollment(enrollment=self.enrollment)
        return Response(status=204)


class Students(base.CourseView):
    """The students of a course, with their totals; those who are not staff find only their own."""

    logs = "student"

    def get(self, request: Request, code: str) -> Response:
        course = self.seat.course
        places = standings.read_places(course=course, student_ids=self.seat.shown_student_ids)
        return Response({"students": answers.students(places, standings.read_letters(course=course))})

    def post(self, request: Request, code: str) -> Response:
        draft = bodies.decode(request, StudentDraft)
        student, is_new = enrolling.enrol(course=self.seat.course, draft=draft, now=timezone.now())
        location = f"/v1/courses/{code}/students/{student.pk}"
        body = representation.student(student)
        return Response(body, status=201 if is_new else 200, headers={"Location": location})
