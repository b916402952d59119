"""Who changed what, when and from where: of a course, a student, an assignment or a batch."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from webui import gradebook
from webui.outages import explained
from webui.roles import TEACHING, opens_to
from webui.upstream import grading
from webui.views.refusals import answers_refusals

PAGE_SIZE = 50


@require_safe
@opens_to(*TEACHING)
@explained("The history cannot be shown")
@answers_refusals
def show_history(request: HttpRequest, code: str) -> HttpResponse:
    person = request.user.get_username()
    filters = {
        name: gradebook.read_id(request.GET.get(name, "")) for name in ("student", "assignment", "batch", "before")
    }
    changes = grading.changes(person, code, limit=PAGE_SIZE + 1, **filters)
    students = {each.id: each.name for each in grading.students(person, code)}
    titles = {each.id: each.title for each in grading.assignments(person, code)}
    context: dict[str, Any] = {
        "course": grading.course(person, code),
        "tab": "history",
        "changes": changes[:PAGE_SIZE],
        "names": students,
        "titles": titles,
        "filters": filters,
        "older": changes[PAGE_SIZE - 1].id if len(changes) > PAGE_SIZE else None,
    }
    return render(request, "webui/grades/history.html", context)
