"""The courses of a person, and the students of a course with their averages."""

import unicodedata

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from webui.outages import explained
from webui.requests import wants_part
from webui.roles import TEACHING, Role, opens_to
from webui.upstream import grading
from webui.upstream.grading import Student
from webui.views.refusals import answers_refusals


@require_safe
@opens_to(*TEACHING, Role.STUDENT)
@explained("Your courses cannot be shown")
@answers_refusals
def list_courses(request: HttpRequest) -> HttpResponse:
    courses = grading.courses(request.user.get_username())
    return render(request, "webui/courses.html", {"courses": courses})


@require_safe
@opens_to(*TEACHING, Role.STUDENT)
@explained("The students of this course and their averages cannot be shown")
@answers_refusals
def show_course(request: HttpRequest, code: str) -> HttpResponse:
    person = request.user.get_username()
    course = grading.course(person, code)
    students = grading.students(person, code)
    if not course.may_write and len(students) == 1:
        return redirect("student", code=code, student_id=students[0].id)
    text = request.GET.get("q", "").strip()
    found = [student for student in students if matches(student, text)]
    template = "webui/course.html#students" if wants_part(request, "students") else "webui/course.html"
    return render(request, template, {"course": course, "students": found, "total": len(students), "q": text})


def matches(student: Student, text: str) -> bool:
    """Every word of the text lies in the name, in any order, case and with or without its accents."""
    name = _plain(student.name)
    return all(word in name for word in _plain(text).split())


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))
