"""The gradebook: every grade of a course in one table."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from webui import cells, gradebook
from webui.outages import describe, explained
from webui.requests import wants_part
from webui.roles import LEARNING, TEACHING, opens_to
from webui.upstream import grading
from webui.upstream.exchange import UpstreamDown
from webui.views import shown
from webui.views.refusals import answers_refusals


@require_safe
@opens_to(*TEACHING, *LEARNING)
@explained(gettext_lazy("The gradebook cannot be shown"))
@answers_refusals
def show_gradebook(request: HttpRequest, code: str) -> HttpResponse:
    """The gradebook; a person who sees only their own grades is led to them."""
    person = request.user.get_username()
    context = shown.ask(request, lambda: grading.gradebook(person, code), "gradebook", code)
    book = context["content"]
    if not book.course.may_write:
        if len(book.students) == 1:
            return redirect("student", code=code, student_id=book.students[0].id)
        return render(request, "webui/grades/observed.html", {**context, "course": book.course, "book": book})
    filters = gradebook.read_filters(request.GET)
    excerpt = gradebook.excerpt(book, filters, today=timezone.localdate())
    ids = [each.id for each in excerpt.assignments]
    rows = [
        {"id": row.id, "name": row.name, "total": cells.total(row.id, row.current), "cells": cells.row(row, ids)}
        for row in excerpt.rows
    ]
    context |= {
        "course": book.course,
        "tab": "gradebook",
        "book": book,
        "filters": filters,
        "excerpt": excerpt,
        "rows": rows,
    }
    template = "webui/grades/gradebook.html"
    return render(request, f"{template}#grid" if wants_part(request, "grid") else template, context)


@require_safe
@opens_to(*TEACHING, *LEARNING)
@answers_refusals
def show_pulse(request: HttpRequest, code: str) -> HttpResponse:
    """Whether grading can be asked, for a page that stays open; a page of old data is loaded anew when it can."""
    seen = request.GET.get("seen", "up")
    try:
        course = grading.course(request.user.get_username(), code)
    except UpstreamDown as error:
        if seen != "up":
            return HttpResponse(status=204)
        context: dict[str, Any] = {
            "outage": describe(error, effect=gettext_lazy("Nothing can be changed")),
            "course": {"code": code},
        }
        return render(request, "webui/grades/pulse.html", context)
    if seen == "up":
        return HttpResponse(status=204)
    if seen == "stale":
        response = HttpResponse()
        response["HX-Refresh"] = "true"
        return response
    return render(request, "webui/grades/pulse.html", {"course": course})
