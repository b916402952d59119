"""One assignment: how its scores are spread, entry down the list of students, and one grade for all the ungraded."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from webui import cells, entry, grade_charts, gradebook
from webui.cells import Place
from webui.outages import explained
from webui.roles import TEACHING, opens_to
from webui.upstream import grading
from webui.upstream.grading import Edit, Grade, Gradebook, RowsRefused, Statistics
from webui.views import shown
from webui.views.refusals import answers_refusals


@require_safe
@opens_to(*TEACHING)
@explained("This assignment cannot be shown")
@answers_refusals
def show_assignment(request: HttpRequest, code: str, assignment_id: int) -> HttpResponse:
    person = request.user.get_username()
    found = shown.ask(request, lambda: _read(person, code, assignment_id), "assignment", code, str(assignment_id))
    return render(request, "webui/grades/assignment.html", _context(request, found, assignment_id))


@require_POST
@opens_to(*TEACHING)
@explained("Nothing was saved")
@answers_refusals
def set_ungraded(request: HttpRequest, code: str, assignment_id: int) -> HttpResponse:
    """One grade for every student who has none yet; one batch, so that it is undone at once."""
    person, typed = request.user.get_username(), request.POST.get("score", "").strip()[:100]
    book = grading.gradebook(person, code)
    column = _column(book, assignment_id)
    wanted = entry.parse(typed)
    ungraded = [(row.id, row.grades[column]) for row in book.students if _is_open(row.grades[column])]
    points = book.assignments[column].points
    if not typed:
        messages.error(request, _("Write the grade to set, such as 0, M or EX."))
    elif entry.is_above(wanted.score, points):
        messages.error(request, _("%(score)s is more than the %(points)s points.") % {"score": typed, "points": points})
    elif ungraded:
        edits = [
            Edit(
                student=student,
                assignment=assignment_id,
                version=grade.version,
                score=wanted.score,
                status=wanted.status,
            )
            for student, grade in ungraded
        ]
        try:
            batch = grading.store_all(person, code, edits)
        except RowsRefused as refused:
            messages.error(request, _("Nothing was saved: %(why)s") % {"why": refused.rows[0].detail})
        else:
            text = _("%(count)d grades are set to %(grade)s.") % {"count": len(edits), "grade": typed}
            messages.success(request, text)
            address = reverse("assignment", args=[code, assignment_id])
            return redirect(f"{address}?batch={batch.batch.id}")
    return redirect("assignment", code=code, assignment_id=assignment_id)


def _read(person: str, code: str, assignment_id: int) -> tuple[Gradebook, Statistics]:
    book = grading.gradebook(person, code)
    _column(book, assignment_id)
    return book, grading.statistics(person, code, assignment_id)


def _context(request: HttpRequest, found: dict[str, Any], assignment_id: int) -> dict[str, Any]:
    book, statistics = found["content"]
    column = _column(book, assignment_id)
    assignment = book.assignments[column]
    least, below = _bound(request.GET.get("from", "")), _bound(request.GET.get("to", ""))
    rows = [
        {
            "student": row,
            "cell": cells.stored(Place(student=row.id, assignment=assignment_id), row.grades[column]),
            "total": cells.total(row.id, row.current),
            "more": Place(student=row.id, assignment=assignment_id),
        }
        for row in book.students
        if _is_between(row.grades[column], least, below)
    ]
    return {
        **found,
        "course": book.course,
        "tab": "gradebook",
        "assignment": assignment,
        "category": next((each for each in book.categories if each.id == assignment.category), None),
        "statistics": statistics,
        "bars": grade_charts.bars(statistics.histogram, points=assignment.points) if statistics.histogram else [],
        "rows": rows,
        "all": len(book.students),
        "ungraded": sum(_is_open(row.grades[column]) for row in book.students),
        "missing": sum(
            gradebook.is_missing(row.grades[column], assignment, today=timezone.localdate()) for row in book.students
        ),
        # Of what was just set for all the ungraded, to be undone.
        "batch": gradebook.read_id(request.GET.get("batch", "")),
        "is_part": least is not None or below is not None,
        "previous": book.assignments[column - 1] if column else None,
        "following": book.assignments[column + 1] if column + 1 < len(book.assignments) else None,
    }


def _column(book: Gradebook, assignment_id: int) -> int:
    """Raises Http404."""
    for index, each in enumerate(book.assignments):
        if each.id == assignment_id:
            return index
    raise Http404


def _is_open(grade: Grade) -> bool:
    return grade.score is None and grade.status == "none"


def _is_between(grade: Grade, least: Decimal | None, below: Decimal | None) -> bool:
    if least is None and below is None:
        return True
    if grade.score is None:
        return False
    score = Decimal(grade.score)
    return (least is None or score >= least) and (below is None or score < below)


def _bound(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None
