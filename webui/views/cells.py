"""The saving of what is typed into a table of grades: one cell, or a pasted block at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from config import numbers
from webui import cells, entry, gradebook, outages
from webui.cells import Place, Unsaved
from webui.outages import Outage, explained
from webui.requests import is_htmx
from webui.roles import TEACHING, opens_to
from webui.upstream import grading
from webui.upstream.exchange import Refused, UpstreamDown
from webui.upstream.grading import AbovePoints, Edit, Overtaken, RowsRefused
from webui.upstream.grading_answers import BatchStored, GradeInFull, Stored
from webui.views.refusals import answers_refusals

MAX_CELLS = 10_000


@dataclass(frozen=True, kw_only=True)
class Typed:
    """The text that a person wants in a cell, and what they saw in it."""

    place: Place
    text: str
    seen: str

    def edit(self, *, may_exceed: bool) -> Edit:
        seen = entry.read_seen(self.seen)
        wanted = entry.parse(self.text, was_late=seen.is_late)
        return Edit(
            student=self.place.student,
            assignment=self.place.assignment,
            version=seen.version,
            score=wanted.score,
            status=wanted.status,
            may_exceed=may_exceed,
        )


@dataclass(frozen=True, kw_only=True)
class Toast:
    text: str
    # The change, or the batch of them, that the button takes back.
    change: int | None = None
    batch: int | None = None
    is_error: bool = False


@require_POST
@opens_to(*TEACHING)
@answers_refusals
def save_cells(request: HttpRequest, code: str) -> HttpResponse:
    """Answer with the cells, the totals and a toast, each to be swapped into its place."""
    typed, person = _read(request), request.user.get_username()
    edits = [each.edit(may_exceed="above" in request.POST) for each in typed]
    try:
        if len(edits) == 1:
            return _answer_one(request, code, typed[0], grading.store(person, edits[0]))
        batch = grading.store_all(person, code, edits)
    except Overtaken as overtaken:
        return _answer_unsaved(request, code, typed, {typed[0].place: {"theirs": overtaken.theirs}}, status=412)
    except AbovePoints as above:
        return _answer_unsaved(request, code, typed, {typed[0].place: {"above": above.points}}, status=422)
    except RowsRefused as refused:
        whys: dict[Place, dict[str, Any]] = {}
        for row in refused.rows:
            why = (
                {"theirs": row.theirs} if row.theirs else {"above": row.above} if row.above else {"refusal": row.detail}
            )
            whys[typed[row.index].place] = why
        return _answer_unsaved(request, code, typed, whys, status=422)
    except Refused as refusal:
        return _answer_unsaved(request, code, typed, {typed[0].place: {"refusal": refusal.detail}}, status=422)
    except UpstreamDown as error:
        outage = outages.describe(error, effect=_("Nothing was saved"))
        return _answer_unsaved(request, code, typed, {each.place: {"outage": outage} for each in typed}, outage=outage)
    text = _("%(count)d grades are saved.") % {"count": len(typed)}
    # Pasted values for which the table had no cell.
    if left := gradebook.read_id(request.POST.get("left", "")):
        text += " " + ngettext(
            "%(left)d pasted value did not fit into the table.",
            "%(left)d pasted values did not fit into the table.",
            left,
        ) % {"left": left}
    return _answer_stored(request, code, batch, Toast(text=text, batch=batch.batch.id))


@require_POST
@opens_to(*TEACHING)
@explained(gettext_lazy("Nothing was undone"))
@answers_refusals
def undo(request: HttpRequest, code: str) -> HttpResponse:
    """Take back a change or a batch; what was changed since stays, and is named."""
    person = request.user.get_username()
    kind, key = (
        ("batch", request.POST.get("batch")) if "batch" in request.POST else ("change", request.POST.get("change"))
    )
    if not numbers.is_whole(key or ""):
        raise BadRequest(_("Name the change to undo."))
    take_back = grading.undo_batch if kind == "batch" else grading.undo_change
    try:
        undone = take_back(person, code, int(key or 0))
    except Refused as refusal:
        changed_since = refusal.status == 412
        why = _("This grade was changed since and stays as it is.") if changed_since else refusal.detail
        if is_htmx(request):
            return render(request, "webui/grades/toast.html", {"toast": Toast(text=why, is_error=True)})
        if not changed_since:
            raise
        messages.error(request, why)
        return redirect("course-history", code=code)
    count = len(undone.grades)
    text = _("Undone.") if count == 1 else _("%(count)d changes are undone.") % {"count": count}
    if undone.refused:
        text += " " + ngettext(
            "%(count)d was changed since and stays as it is.",
            "%(count)d were changed since and stay as they are.",
            len(undone.refused),
        ) % {"count": len(undone.refused)}
    if not is_htmx(request):
        messages.success(request, text)
        return redirect("course-history", code=code)
    return _answer_stored(request, code, undone, Toast(text=text, batch=undone.batch.id))


def answer_grade(request: HttpRequest, code: str, place: Place, found: GradeInFull) -> HttpResponse:
    """The cell and the total as grading has them now."""
    parts = [cells.stored(place, found.grade, is_swap=True), cells.total(place.student, found.current, is_swap=True)]
    return _answer(request, code, parts, None)


def _answer_stored(request: HttpRequest, code: str, stored: BatchStored, toast: Toast) -> HttpResponse:
    """The cells that changed, and their students' totals."""
    parts = [
        cells.stored(Place(student=each.student, assignment=each.assignment), each, is_swap=True)
        for each in stored.grades
    ]
    parts += [cells.total(each.id, each.current, is_swap=True) for each in stored.students]
    return _answer(request, code, parts, toast)


def _read(request: HttpRequest) -> list[Typed]:
    names = ("cell", "score", "version")
    places, scores, versions = (request.POST.getlist(name) for name in names)
    if not places or not len(places) == len(scores) == len(versions) or len(places) > MAX_CELLS:
        raise BadRequest(_("Send a cell, a score and a version for each grade."))
    found = [cells.read_place(place) for place in places]
    if None in found:
        raise BadRequest(_("A cell is named by a student and an assignment, such as g31-9."))
    return [
        Typed(place=place, text=score.strip()[:100], seen=version)
        for place, score, version in zip(found, scores, versions, strict=True)
        if place is not None
    ]


def _answer_one(request: HttpRequest, code: str, typed: Typed, stored: Stored) -> HttpResponse:
    place = typed.place
    parts = [
        cells.stored(place, stored.grade, is_swap=True),
        cells.total(place.student, stored.current, is_swap=True),
    ]
    if stored.grade.version == entry.read_seen(typed.seen).version:
        return _answer(request, code, parts, None)
    text = _("Saved: %(grade)s") % {"grade": entry.write(stored.grade) or _("blank")}
    toast = Toast(text=text, change=stored.change)
    return _answer(request, code, parts, toast)


def _answer_unsaved(
    request: HttpRequest,
    code: str,
    typed: Sequence[Typed],
    whys: Mapping[Place, dict[str, Any]],
    *,
    status: int = 200,
    outage: Outage | None = None,
) -> HttpResponse:
    """Every cell keeps what was typed; those of a batch that others kept from being saved can be sent again."""
    parts = [
        cells.unsaved(code, each.place, Unsaved(typed=each.text, seen=each.seen, **whys.get(each.place, {})))
        for each in typed
    ]
    count = len(typed) if outage else len(whys)
    text = _("Not saved: %(count)d of %(all)d grades need a look.") % {"count": count, "all": len(typed)}
    if len(typed) == 1:
        text = _("Not saved: look at the marked cell.")
    context = {
        "code": code,
        "parts": parts,
        "toast": Toast(text=text, is_error=True),
        "outage": outage,
        "course": {"code": code},
        "rest": [each for each in typed if each.place not in whys],
        "all": typed if len(typed) > 1 and all("above" in why for why in whys.values()) else [],
    }
    return render(request, "webui/grades/swaps.html", context, status=status)


def _answer(request: HttpRequest, code: str, parts: Sequence[Any], toast: Toast | None) -> HttpResponse:
    context = {"code": code, "parts": parts, "toast": toast, "course": {"code": code}}
    return trigger_client_event(render(request, "webui/grades/swaps.html", context), "graded")
