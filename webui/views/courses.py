"""The courses of a person."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from webui.outages import explained
<<<<<<< HEAD
from webui.roles import TEACHING, Role, opens_to, roles_of
=======
from webui.requests import wants_part
from webui.roles import TEACHING, Role, opens_to
>>>>>>> refs/heads/operator
from webui.upstream import grading
from webui.views import shown
from webui.views.refusals import answers_refusals


@require_safe
@opens_to(*TEACHING, Role.STUDENT)
@explained("Your courses cannot be shown")
@answers_refusals
def list_courses(request: HttpRequest) -> HttpResponse:
<<<<<<< HEAD
=======
    courses = grading.courses(request.user.get_username())
    return render(request, "webui/courses.html", {"courses": courses})


@require_safe
@opens_to(*TEACHING, Role.STUDENT)
@explained("The students of this course and their averages cannot be shown")
@answers_refusals
def show_course(request: HttpRequest, code: str) -> HttpResponse:
>>>>>>> refs/heads/operator
    person = request.user.get_username()
    found = shown.ask(request, lambda: grading.courses(person), "courses")
    context = {**found, "courses": found["content"], "may_create": Role.TEACHER in roles_of(request.user)}
    return render(request, "webui/courses.html", context)
