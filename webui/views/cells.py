"""The saving of what is typed into a table of grades: one cell, or a pasted block at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from webui import cells, entry, outages
from webui.cells import Place, Unsaved
from webui.outages import Outage, explained
from webui.requests import is_htmx
from webui.roles import TEACHING, opens_to
from webui.upstream import grading
from webui.upstream.exchange import Refused, UpstreamDown
from webui.upstream.grading import Edit, Overtaken, RowsRefused, Stored
from webui.views.refusals import answers_refusals

MAX_CELLS = 10_000


@dataclass(frozen=True, kw_only=True)
class Typed:
    """What a person wants in a cell, and what they saw in it."""

    place: Place
    text: str
    seen: str

    def edit(self) -> Edit:
        seen = entry.read_seen(self.seen)
        wanted = entry.parse(self.text, was_late=seen.is_late)
        return Edit(
            student=self.place.student,
            assignment=self.place.assignment,
            version=seen.version,
            score=wanted.score,
            status=wanted.status,
        )


@dataclass(frozen=True, kw_only=True)
class Toast:
    text: str
    # What the button takes back: a change, or a batch of them.
    change: int | None = None
    batch: int | None = None
    is_error: bool = False


@require_POST
@opens_to(*TEACHING)
@answers_refusals
def save_cells(request: HttpRequest, code: str) -> HttpResponse:
    """Answers with the cells, the totals and a toast, each to be swapped into its place."""
    typed, person = _read(request), request.user.get_username()
    edits = [each.edit() for each in typed]
    try:
        whys = {} if "above" in request.POST else _find_above_points(person, code, typed, edits)
        if whys:
            return _answer_unsaved(request, code, typed, whys, status=422)
        if len(edits) == 1:
            return _answer_one(request, code, typed[0], grading.store(person, edits[0]))
        batch = grading.store_all(person, code, edits)
    except Overtaken as overtaken:
        return _answer_unsaved(request, code, typed, {typed[0].place: {"theirs": overtaken.theirs}}, status=412)
    except RowsRefused as refused:
        whys = {
            typed[row.index].place: {"theirs": row.theirs} if row.theirs else {"refusal": row.detail}
            for row in refused.rows
        }
        return _answer_unsaved(request, code, typed, whys, status=422)
    except Refused as refusal:
        return _answer_unsaved(request, code, typed, {typed[0].place: {"refusal": refusal.detail}}, status=422)
    except UpstreamDown as error:
        outage = outages.describe(error, effect=_("Nothing was saved"))
        return _answer_unsaved(request, code, typed, {each.place: {"outage": outage} for each in typed}, outage=outage)
    text = _("%(count)d grades are saved.") % {"count": len(typed)}
    if left := _lost(request):
        text += " " + _("%(left)d pasted values did not fit into the table.") % {"left": left}
    return answer_changed(request, code, [each.place for each in typed], Toast(text=text, batch=batch.batch.id))


@require_POST
@opens_to(*TEACHING)
@explained("Nothing was undone")
@answers_refusals
def undo(request: HttpRequest, code: str) -> HttpResponse:
    """Takes back a change or a batch; what was changed since stays, and is named."""
    person = request.user.get_username()
    kind, key = (
        ("batch", request.POST.get("batch")) if "batch" in request.POST else ("change", request.POST.get("change"))
    )
    if not (key or "").isdecimal() or len(key or "") > 18:
        raise BadRequest(_("Name the change to undo."))
    take_back = grading.undo_batch if kind == "batch" else grading.undo_change
    try:
        undone = take_back(person, code, int(key or 0))
    except Refused as refusal:
        if not is_htmx(request):
            raise
        return render(request, "webui/grades/toast.html", {"toast": Toast(text=refusal.detail, is_error=True)})
    places = [place for each in undone.grades if (place := cells.read_place(each.id))]
    text = _("Undone.") if len(places) == 1 else _("%(count)d changes are undone.") % {"count": len(places)}
    if undone.refused:
        text += " " + _("%(count)d were changed since and stay as they are.") % {"count": len(undone.refused)}
    if not is_htmx(request):
        messages.success(request, text)
        return redirect("course-history", code=code)
    return answer_changed(request, code, places, Toast(text=text, batch=undone.batch.id))


def answer_changed(request: HttpRequest, code: str, places: Iterable[Place], toast: Toast | None) -> HttpResponse:
    """The cells and totals as grading has them now."""
    book = grading.gradebook(request.user.get_username(), code)
    wanted, columns = set(places), {each.id: index for index, each in enumerate(book.assignments)}
    students = {place.student for place in wanted}
    rows = {row.id: row for row in book.students if row.id in students}
    parts = [
        cells.stored(place, rows[place.student].grades[columns[place.assignment]], is_swap=True)
        for place in wanted
        if place.student in rows and place.assignment in columns
    ]
    parts += [cells.total(row.id, row.current, is_swap=True) for row in rows.values()]
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


def _find_above_points(
    person: str, code: str, typed: Sequence[Typed], edits: Sequence[Edit]
) -> dict[Place, dict[str, Any]]:
    points = {each.id: each.points for each in grading.assignments(person, code)}
    return {
        each.place: {"above": points[edit.assignment]}
        for each, edit in zip(typed, edits, strict=True)
        if edit.assignment in points and entry.is_above(edit.score, points[edit.assignment])
    }


def _answer_one(request: HttpRequest, code: str, typed: Typed, stored: Stored) -> HttpResponse:
    place = typed.place
    parts = [
        cells.stored(place, stored.grade, is_swap=True),
        cells.total(place.student, stored.current, is_swap=True),
    ]
    if stored.grade.version == entry.read_seen(typed.seen).version:
        return _answer(request, code, parts, None)
    change = stored.change or _find_change(request, code, place, stored.grade.version)
    toast = Toast(text=_("Saved: %(grade)s") % {"grade": entry.write(stored.grade) or _("blank")}, change=change)
    return _answer(request, code, parts, toast)


def _find_change(request: HttpRequest, code: str, place: Place, version: int) -> int | None:
    """The change that made this version, to be undone."""
    person = request.user.get_username()
    found = grading.changes(person, code, student=place.student, assignment=place.assignment, limit=1)
    return next((each.id for each in found if each.version == version), None)


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


def _lost(request: HttpRequest) -> int:
    left = request.POST.get("left", "")
    return int(left) if left.isascii() and left.isdigit() and len(left) < 7 else 0
