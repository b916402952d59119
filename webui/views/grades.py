"""One student's grades: shown with what they come to, and entered one by one without leaving the page."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import trigger_client_event

from webui import entry, outages
from webui.entry import Entry
from webui.outages import Outage, explained
from webui.requests import is_htmx, wants_part
from webui.roles import TEACHING, Role, opens_to
from webui.upstream import grading
from webui.upstream.exchange import Refused, UpstreamDown
from webui.upstream.grading import Assignment, Grade, Overtaken, Record, Stored
from webui.views.refusals import answers_refusals

UNSAVED = "Your entry was not saved"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Where one assignment's entry stands: what is stored, or why what was typed is not."""

    assignment_id: int
    grade: Grade
    typed: str
    excused: bool
    stored: Stored | None = None
    refusal: str = ""
    outage: Outage | None = None
    theirs: Grade | None = None

    @property
    def status(self) -> int:
        if self.theirs:
            return 412
        return 422 if self.refusal else 200


@dataclass(frozen=True, kw_only=True)
class Row:
    assignment: Assignment
    outcome: Outcome


@dataclass(frozen=True, kw_only=True)
class Section:
    """A category with its assignments."""

    title: str
    weight: str
    rows: list[Row]


@require_safe
@opens_to(*TEACHING, Role.STUDENT)
@explained("These grades cannot be shown")
@answers_refusals
def show_student(request: HttpRequest, code: str, student_id: int) -> HttpResponse:
    record = grading.record(request.user.get_username(), code, student_id)
    # The totals, too: answers to grades entered in quick succession may overtake each other, this one is the last.
    template = "webui/parts/reworked.html" if wants_part(request, "working") else "webui/student.html"
    return render(request, template, _page(record))


@require_http_methods(["GET", "HEAD", "POST"])
@opens_to(*TEACHING)
@explained(UNSAVED)
@answers_refusals
def enter_grade(request: HttpRequest, code: str, student_id: int, assignment_id: int) -> HttpResponse:
    """Where a person loads this address instead of sending an entry, they meant the student's page."""
    student_url = reverse("student", args=[code, student_id])
    if request.method != "POST":
        return redirect(student_url)
    if "score" not in request.POST:
        raise BadRequest("The entry lacks its score: send one, empty for none.")
    person, entered = request.user.get_username(), entry.parse(request.POST)
    store = partial(grading.store, person, code, student_id, assignment_id, entered.grade)
    if is_htmx(request):
        return _answer_part(request, _attempt_in_place(store, assignment_id, entered), student_url=student_url)
    outcome = _attempt(store, assignment_id, entered)
    if outcome.stored:
        return redirect(f"{student_url}#grade-{assignment_id}")
    page = _page(grading.record(person, code, student_id), outcome)
    return render(request, "webui/student.html", page, status=outcome.status)


def _attempt(store: Callable[[], Stored], assignment_id: int, entered: Entry) -> Outcome:
    try:
        stored = store()
    except Overtaken as overtaken:
        return _unsaved(assignment_id, entered, version=overtaken.theirs.version, theirs=overtaken.theirs)
    except Refused as refusal:
        return _unsaved(assignment_id, entered, refusal=refusal.detail)
    grade = stored.grade
    return Outcome(
        assignment_id=assignment_id, grade=grade, typed=grade.score or "", excused=grade.excused, stored=stored
    )


def _attempt_in_place(store: Callable[[], Stored], assignment_id: int, entered: Entry) -> Outcome:
    """On a page that stays as it is an outage is said beside the field, too."""
    try:
        return _attempt(store, assignment_id, entered)
    except UpstreamDown as error:
        return _unsaved(assignment_id, entered, outage=outages.describe(error, effect=UNSAVED))


def _unsaved(assignment_id: int, entered: Entry, *, version: int | None = None, **why: Any) -> Outcome:
    """`version` is what the next attempt names as seen: theirs, once the person has been shown it."""
    grade = Grade(version=entered.version if version is None else version, comment=entered.comment)
    return Outcome(assignment_id=assignment_id, grade=grade, typed=entered.typed, excused=entered.excused, **why)


def _answer_part(request: HttpRequest, outcome: Outcome, *, student_url: str) -> HttpResponse:
    context = {"outcome": outcome, "totals": outcome.stored, "student_url": student_url}
    response = render(request, "webui/parts/entered.html", context, status=outcome.status)
    return trigger_client_event(response, "graded") if outcome.stored else response


def _page(record: Record, outcome: Outcome | None = None) -> dict[str, Any]:
    outcomes = {assignment.id: _as_stored(assignment) for assignment in record.assignments}
    if outcome:
        outcomes[outcome.assignment_id] = outcome
    sections = [
        Section(
            title=part.title,
            weight=part.weight,
            rows=[
                Row(assignment=assignment, outcome=outcomes[assignment.id])
                for assignment in record.assignments
                if assignment.category == part.category
            ],
        )
        for part in record.explanation.current.categories
    ]
    return {
        "record": record,
        "totals": record,
        "sections": [section for section in sections if section.rows],
        "student_url": reverse("student", args=[record.course.code, record.student.id]),
    }


def _as_stored(assignment: Assignment) -> Outcome:
    grade = assignment.grade
    return Outcome(assignment_id=assignment.id, grade=grade, typed=grade.score or "", excused=grade.excused)
