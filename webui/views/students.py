"""One student: every grade, how the totals come about, what is missing, and what would be if."""

import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from webui import cells, grade_charts, gradebook
from webui.cells import Place
from webui.outages import explained
from webui.requests import wants_part
from webui.roles import LEARNING, TEACHING, opens_to
from webui.upstream import grading
from webui.upstream.exchange import Refused
from webui.upstream.grading_answers import Explanation, GradedAssignment, Line, Report
from webui.views import shown
from webui.views.refusals import answers_refusals

# The name of a field of the what-if, and what may be typed into it.
_SUPPOSED = re.compile(r"a[0-9]{1,18}")
_NUMBER = re.compile(r"[0-9]{1,7}(\.[0-9]{1,2})?")


@require_safe
@opens_to(*TEACHING, *LEARNING)
@explained(gettext_lazy("These grades cannot be shown"))
@answers_refusals
def show_student(request: HttpRequest, code: str, student_id: int) -> HttpResponse:
    person = request.user.get_username()
    found = shown.ask(request, lambda: grading.report(person, code, student_id), "student", code, str(student_id))
    report = found["content"]
    is_final = request.GET.get("total") == "final"
    explanation = report.explanation.final if is_final else report.explanation.current
    context = {
        **found,
        "neighbours": report.neighbours,
        "course": report.course,
        "student": report.student,
        "report": report,
        "is_final": is_final,
        "total": report.final if is_final else report.current,
        "explanation": explanation,
        "branches": _branches(report, explanation),
        "trend": grade_charts.trend(report.assignments),
        "missing": [
            each
            for each in report.assignments
            if each.published
            # A student sees no grade before it is posted, which does not make the work missing.
            and (each.posted or report.course.may_write)
            and gradebook.is_missing(each.grade, each, today=timezone.localdate())
        ],
        "tab": "gradebook",
    }
    template = "webui/grades/reworked.html" if wants_part(request, "working") else "webui/grades/student.html"
    return render(request, template, context)


@require_safe
@opens_to(*TEACHING, *LEARNING)
@explained(gettext_lazy("No totals can be worked out"))
@answers_refusals
def suppose(request: HttpRequest, code: str, student_id: int) -> HttpResponse:
    """The totals with scores that the form supposes, beside those that are; nothing is stored."""
    person = request.user.get_username()
    names = filter(_SUPPOSED.fullmatch, request.GET)
    typed = {name: text for name in names if (text := request.GET.get(name, "").strip())}
    scores = {int(name[1:]): text.replace(",", ".", 1) for name, text in typed.items()}
    context: dict[str, Any] = {"changed": scores, "tab": "gradebook"}
    wrong = [text for text in scores.values() if not _NUMBER.fullmatch(text)]
    if wrong:
        context["refusal"] = ", ".join(wrong)
    elif scores:
        try:
            context["supposed"] = grading.suppose(person, code, student_id, scores)
        except Refused as refusal:
            if refusal.status in (403, 404):
                raise
            context["refusal"] = refusal.detail
    if (scores or wrong) and wants_part(request, "supposed"):
        return render(request, "webui/grades/what_if.html#supposed", context)
    report = grading.report(person, code, student_id)
    context |= {"course": report.course, "student": report.student, "report": report}
    context.setdefault("supposed", report)
    context["items"] = [{"assignment": each, "supposed": typed.get(f"a{each.id}", "")} for each in report.assignments]
    template = "webui/grades/what_if.html"
    return render(request, f"{template}#supposed" if wants_part(request, "supposed") else template, context)


def _branches(report: Report, explanation: Explanation) -> list[dict[str, Any]]:
    """The tree below the total: each category with its lines, and each line with its cell."""

    def leaf(assignment: GradedAssignment, line: Line) -> dict[str, Any]:
        place = Place(student=report.student.id, assignment=assignment.id)
        cell = cells.stored(place, assignment.grade) if report.course.may_write else None
        return {"line": line, "assignment": assignment, "place": place, "cell": cell}

    assignments = {each.id: each for each in report.assignments}
    return [
        {"part": part, "lines": [leaf(assignments[line.assignment], line) for line in part.lines]}
        for part in explanation.categories
        if part.lines
    ]
