"""The history of changes, by whom, when and from where: of a course, a student, an assignment or a batch."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from webui import gradebook
from webui.outages import explained
from webui.roles import TEACHING, opens_to
from webui.upstream import grading
from webui.views.refusals import answers_refusals

PAGE_SIZE = 50


@require_safe
@opens_to(*TEACHING)
@explained(gettext_lazy("The history cannot be shown"))
@answers_refusals
def show_history(request: HttpRequest, code: str) -> HttpResponse:
    person = request.user.get_username()
    filters = {
        name: gradebook.read_id(request.GET.get(name, "")) for name in ("student", "assignment", "batch", "before")
    }
    found = grading.history(person, code, limit=PAGE_SIZE + 1, **filters)
    context: dict[str, Any] = {
        "course": found.course,
        "tab": "history",
        "changes": found.changes[:PAGE_SIZE],
        "names": {each.id: each.name for each in found.students},
        "titles": {each.id: each.title for each in found.assignments},
        "filters": filters,
        "older": found.changes[PAGE_SIZE - 1].id if len(found.changes) > PAGE_SIZE else None,
    }
    return render(request, "webui/grades/history.html", context)
