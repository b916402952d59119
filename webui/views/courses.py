"""The courses of a person."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from webui.outages import explained
from webui.roles import LEARNING, TEACHING, Role, opens_to, roles_of
from webui.upstream import grading
from webui.views import shown
from webui.views.refusals import answers_refusals


@require_safe
@opens_to(*TEACHING, *LEARNING)
@explained(gettext_lazy("Your courses cannot be shown"))
@answers_refusals
def list_courses(request: HttpRequest) -> HttpResponse:
    person = request.user.get_username()
    found = shown.ask(request, lambda: grading.courses(person), "courses")
    context = {**found, "courses": found["content"], "may_create": Role.TEACHER in roles_of(request.user)}
    return render(request, "webui/courses.html", context)
