"""The cells of a table of grades: what each shows, and what is left to decide where it was not saved.

A gradebook has thousands, so that what is stored is written without a template.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from webui import entry
from webui.outages import Outage
from webui.upstream.grading_answers import Assignment, Grade, GradedStudent, Status, StudentRow, Total


@dataclass(frozen=True, kw_only=True, order=True)
class Place:
    student: int
    assignment: int

    def __str__(self) -> str:
        return f"g{self.student}-{self.assignment}"


@dataclass(frozen=True, kw_only=True)
class Unsaved:
    """The reason why what was typed is not stored; none where others of its batch have theirs."""

    typed: str
    seen: str
    refusal: str = ""
    theirs: Grade | None = None
    outage: Outage | None = None
    # The points that the score exceeds.
    above: str = ""


def read_place(text: str) -> Place | None:
    student, _, assignment = text.removeprefix("g").partition("-")
    if not all(part.isascii() and part.isdigit() and len(part) < 19 for part in (student, assignment)):
        return None
    return Place(student=int(student), assignment=int(assignment))


def stored(place: Place, grade: Grade, *, is_swap: bool = False) -> SafeString:
    swap = ' hx-swap-oob="true"' if is_swap else ""
    score = _escaped(grade.score or "")
    if grade.status is Status.NONE and not grade.comment:
        # Most of a list's.
        return SafeString(f'<div id="{place}" data-v="{grade.version}"{swap}>{score}</div>')
    seen = entry.write_seen(grade)
    title = f' title="{escape(grade.comment)}"' if grade.comment else ""
    mark = entry.MARKS.get(grade.status)
    names = " ".join(filter(None, (mark and grade.status.value, grade.comment and "commented")))
    names = f' class="{names}"' if names else ""
    mark = f'<abbr title="{grade.status.value}">{mark}</abbr>' if mark else ""
    return SafeString(
        f'<div id="{place}" data-v="{seen}"{names}{title}{swap}>{" ".join(filter(None, (score, mark)))}</div>'
    )


def row(student: StudentRow, assignments: Sequence[int]) -> SafeString:
    """A student's cells in a gradebook, below the assignments of these ids."""
    found, student_id = [], student.id
    for assignment, grade in zip(assignments, student.grades, strict=True):
        if grade.status is Status.NONE and not grade.comment:
            # Most cells, without the calls that any other takes.
            score = _escaped(grade.score) if grade.score else ""
            found.append(f'<td><div id="g{student_id}-{assignment}" data-v="{grade.version}">{score}</div></td>')
        else:
            found.append(f"<td>{stored(Place(student=student_id, assignment=assignment), grade)}</td>")
    return SafeString("".join(found))


def lines(code: str, assignment: Assignment, students: Iterable[GradedStudent]) -> SafeString:
    """The rows of one assignment's list, each with its student, cell and total."""
    student_url = reverse("student", args=[code, 0])[:-1]
    cell_url = reverse("course-cell", args=[code, "g"])[:-1]
    details, points = escape(_("Details")), escape(assignment.points)
    found = []
    for row in students:
        place, name = Place(student=row.id, assignment=assignment.id), escape(row.name)
        found.append(
            f'<tr class="leaf"><th scope="row" id="w{row.id}"><a href="{student_url}{row.id}">{name}</a></th>'
            f'<td class="number">{stored(place, row.grade)}</td><td class="number text-secondary">{points}</td>'
            f'<td class="number">{total(row.id, row.current)}</td><td class="leaf-more">'
            f'<a href="{cell_url}{place}">{details}<span class="visually-hidden"> {name}</span></a></td></tr>'
        )
    return SafeString("".join(found))


def unsaved(code: str, place: Place, why: Unsaved) -> SafeString:
    return render_to_string("webui/grades/unsaved.html", {"code": code, "place": place, "why": why})


def total(student_id: int, total: Total, *, is_swap: bool = False) -> SafeString:
    swap = ' hx-swap-oob="true"' if is_swap else ""
    if total.percent is None:
        return SafeString(f'<span id="t{student_id}" class="sum-none"{swap}>&ndash;</span>')
    percent, letter = _escaped(total.percent), _escaped(total.letter or "")
    badge = f' <span class="badge letter-{letter[:1].lower()}">{letter}</span>' if letter else ""
    return SafeString(f'<span id="t{student_id}"{swap}>{percent} %{badge}</span>')


@lru_cache(maxsize=8192)
def _escaped(figure: str) -> str:
    """Escape a text, cached: there are few different scores, percentages and letters."""
    return escape(figure)
