"""One grade: its score, status, deduction, comment and history, on a page of its own."""

from dataclasses import replace
from typing import Any

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods
from msgspec import structs

from webui import cells, entry
from webui.cells import Place
from webui.outages import explained
from webui.requests import is_htmx
from webui.roles import LEARNING, TEACHING, opens_to, roles_of
from webui.upstream import grading
from webui.upstream.exchange import Refused
from webui.upstream.grading import AbovePoints, Edit, Overtaken
from webui.upstream.grading_answers import Grade, Status
from webui.views.cells import answer_grade
from webui.views.refusals import answers_refusals


@require_http_methods(["GET", "HEAD", "POST"])
@opens_to(*TEACHING, *LEARNING)
@explained(gettext_lazy("This grade cannot be shown or changed"))
@answers_refusals
def show_grade(request: HttpRequest, code: str, place: str) -> HttpResponse:
    """One grade's page; for htmx, the cell as it is stored, to be swapped into its table."""
    found = cells.read_place(place)
    if found is None:
        raise Http404
    if is_htmx(request):
        person = request.user.get_username()
        return answer_grade(request, code, found, grading.grade(person, found.student, found.assignment))
    if request.method == "POST":
        if not roles_of(request.user) & TEACHING:
            raise BadRequest(_("Only a teacher or an assistant changes grades."))
        return _save(request, code, found)
    return _render(request, code, found, {})


def _save(request: HttpRequest, code: str, place: Place) -> HttpResponse:
    form, person = request.POST, request.user.get_username()
    typed = form.get("score", "").strip()[:100]
    parsed = entry.parse(typed)
    status = form.get("status", "")
    edit = Edit(
        may_exceed="above" in form,
        student=place.student,
        assignment=place.assignment,
        version=entry.read_seen(form.get("version", "")).version,
        score=parsed.score,
        status=Status(status) if status in set(Status) and parsed.status is Status.NONE else parsed.status,
        late_deduction=form.get("late_deduction", "").strip().replace(",", ".", 1) or "0",
        comment=form.get("comment", "").replace("\r\n", "\n"),
    )
    if edit.status is not Status.LATE:
        edit = replace(edit, late_deduction="0")
    mine = Grade(
        score=typed or None,
        status=edit.status,
        late_deduction=edit.late_deduction or "0",
        comment=edit.comment or "",
        version=edit.version,
    )
    try:
        grading.store(person, edit)
    except Overtaken as overtaken:
        return _render(request, code, place, {"mine": mine, "theirs": overtaken.theirs}, status=412)
    except AbovePoints as above:
        return _render(request, code, place, {"mine": mine, "above": above.points}, status=422)
    except Refused as refusal:
        if refusal.status in (403, 404):
            raise
        return _render(request, code, place, {"mine": mine, "refusal": refusal.detail}, status=refusal.status)
    if "next" in form:
        following = cells.read_place(form["next"])
        if following is not None:
            return redirect("course-cell", code=code, place=str(following))
    return redirect("course-cell", code=code, place=str(place))


def _render(request: HttpRequest, code: str, place: Place, found: dict[str, Any], *, status: int = 200) -> HttpResponse:
    person = request.user.get_username()
    stored = grading.grade(person, place.student, place.assignment)
    if stored.course.code != code:
        raise Http404
    grade = found.get("mine") or stored.grade
    if theirs := found.get("theirs"):
        # A person who has seen the other value may insist on their own.
        grade = structs.replace(grade, version=theirs.version)
    context = {
        "course": stored.course,
        "student": stored.student,
        "assignment": stored.assignment,
        "place": place,
        "grade": grade,
        "statuses": list(Status),
        "changes": stored.changes[::-1],
        "neighbours": stored.neighbours,
        **found,
    }
    if stored.neighbours is not None:
        around = {"previous": stored.neighbours.previous, "following": stored.neighbours.following}
        context |= {
            f"{name}_cell": Place(student=each.id, assignment=place.assignment)
            for name, each in around.items()
            if each is not None
        }
    return render(request, "webui/grades/grade.html", context, status=status)
