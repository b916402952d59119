"""One assignment: how its scores are spread, entry down the list of students, and one grade for all the ungraded."""

from decimal import Decimal, InvalidOperation

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from webui import cells, entry, grade_charts, gradebook
from webui.outages import explained
from webui.roles import TEACHING, opens_to
from webui.upstream import grading
from webui.upstream.grading import Edit, RowsRefused
from webui.upstream.grading_answers import AssignmentInFull, Grade
from webui.views import shown
from webui.views.refusals import answers_refusals


@require_safe
@opens_to(*TEACHING)
@explained(gettext_lazy("This assignment cannot be shown"))
@answers_refusals
def show_assignment(request: HttpRequest, code: str, assignment_id: int) -> HttpResponse:
    person = request.user.get_username()
    kept = shown.ask(
        request, lambda: grading.assignment(person, code, assignment_id), "assignment", code, str(assignment_id)
    )
    found: AssignmentInFull = kept["content"]
    assignment = found.assignment
    least, below = _bound(request.GET.get("from", "")), _bound(request.GET.get("to", ""))
    is_part, today = least is not None or below is not None, timezone.localdate()
    students = [row for row in found.students if not is_part or _is_within(row.grade, least, below)]
    histogram = found.statistics.histogram
    context = {
        **kept,
        "course": found.course,
        "tab": "gradebook",
        "assignment": assignment,
        "category": found.category,
        "statistics": found.statistics,
        "bars": grade_charts.bars(histogram, points=assignment.points) if histogram else [],
        "count": len(students),
        "lines": cells.lines(code, assignment, students),
        "all": len(found.students),
        "ungraded": sum(_is_open(row.grade) for row in found.students),
        "missing": sum(gradebook.is_missing(row.grade, assignment, today=today) for row in found.students),
        # The batch that was just set for all the ungraded, to be undone.
        "batch": gradebook.read_id(request.GET.get("batch", "")),
        "is_part": is_part,
        "previous": found.previous,
        "following": found.following,
    }
    return render(request, "webui/grades/assignment.html", context)


@require_POST
@opens_to(*TEACHING)
@explained(gettext_lazy("Nothing was saved"))
@answers_refusals
def set_ungraded(request: HttpRequest, code: str, assignment_id: int) -> HttpResponse:
    """One grade for every student who has none yet; one batch, so that it is undone at once."""
    person, typed = request.user.get_username(), request.POST.get("score", "").strip()[:100]
    found = grading.assignment(person, code, assignment_id)
    wanted, points = entry.parse(typed), found.assignment.points
    ungraded = [(row.id, row.grade) for row in found.students if _is_open(row.grade)]
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
            first = refused.rows[0]
            why = first.detail
            if first.theirs is not None:
                why = _("%(who)s has graded here meanwhile.") % {"who": first.theirs.updated_by}
            messages.error(request, _("Nothing was saved: %(why)s") % {"why": why})
        else:
            text = ngettext(
                "%(count)d grade is set to %(grade)s.", "%(count)d grades are set to %(grade)s.", len(edits)
            ) % {"count": len(edits), "grade": typed}
            messages.success(request, text)
            address = reverse("assignment", args=[code, assignment_id])
            return redirect(f"{address}?batch={batch.batch.id}")
    return redirect("assignment", code=code, assignment_id=assignment_id)


def _is_within(grade: Grade, least: Decimal | None, below: Decimal | None) -> bool:
    if grade.score is None:
        return False
    score = Decimal(grade.score)
    return (least is None or score >= least) and (below is None or score < below)


def _is_open(grade: Grade) -> bool:
    return grade.score is None and grade.status == "none"


def _bound(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None
