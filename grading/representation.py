"""The wire forms of what is stored: amounts and percentages as decimal strings, times in UTC."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from grading import scoring
from grading.models import (
    Assignment,
    Category,
    Course,
    Enrollment,
    Grade,
    GradeChange,
    GradeScale,
    ImportBatch,
    Section,
    Status,
    Student,
    Term,
)
from grading.standings import Neighbours, Place, Standing
from grading.statistics import Statistics

TIMES = "\N{MULTIPLICATION SIGN}"
REASONS = {
    scoring.Outcome.COUNTED: "counts",
    scoring.Outcome.COUNTED_AS_ZERO: "not graded, counts as zero",
    scoring.Outcome.HIDDEN_AS_ZERO: "not posted yet, counts as zero",
    scoring.Outcome.EXTRA_CREDIT: "extra credit: adds to the score, not to the points",
    scoring.Outcome.DROPPED_LOWEST: "dropped: without it the category's percentage is highest",
    scoring.Outcome.DROPPED_HIGHEST: "dropped: the category leaves out its highest",
    scoring.Outcome.NOT_GRADED: "not graded yet",
    scoring.Outcome.HIDDEN: "not posted yet",
    scoring.Outcome.EXCUSED: "excused",
    scoring.Outcome.OMITTED: "does not count towards the total",
    scoring.Outcome.UNPUBLISHED: "not published yet",
}


def amount(value: Decimal) -> str:
    """`9.5` for 9.50 and `100` for 1E+2."""
    return f"{value.normalize():f}" if value else "0"


def time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def grade_id(student_id: int, assignment_id: int) -> str:
    """The id of a cell of the gradebook, also before anything is stored there."""
    return f"{student_id}-{assignment_id}"


def term(term: Term) -> dict[str, Any]:
    return {
        "code": term.code,
        "title": term.title,
        "starts_on": term.starts_on.isoformat(),
        "ends_on": term.ends_on.isoformat(),
    }


def scale(scale: GradeScale) -> dict[str, Any]:
    steps = scale.steps.all()
    return {
        "id": scale.pk,
        "title": scale.title,
        "steps": [{"letter": step.letter, "least_percent": amount(step.least_percent)} for step in steps],
    }


def letters(letters: scoring.Letters) -> list[dict[str, str]]:
    return [{"letter": letter, "least_percent": amount(Decimal(least))} for letter, least in letters.items()]


def course(course: Course) -> dict[str, Any]:
    return {
        "code": course.code,
        "title": course.title,
        "scheme": course.scheme,
        "term": course.term and course.term.code,
        "scale": course.scale_id,
    }


def section(section: Section) -> dict[str, Any]:
    return {"id": section.pk, "title": section.title}


def category(category: Category) -> dict[str, Any]:
    return {
        "id": category.pk,
        "kind": category.kind,
        "title": category.title,
        "weight": amount(category.weight),
        "drop_lowest": category.drop_lowest,
        "drop_highest": category.drop_highest,
    }


def student(student: Student) -> dict[str, Any]:
    return {"id": student.pk, "name": student.name, "username": student.username, "sis_id": student.sis_id}


def student_in_course(place: Place) -> dict[str, Any]:
    return {
        "id": place.student_id,
        "name": place.name,
        "username": place.username,
        "sis_id": place.sis_id,
        "section": place.section_id,
        "state": place.state,
    }


def neighbours(found: Neighbours | None) -> dict[str, Any] | None:
    def student(named: tuple[int, str] | None) -> dict[str, Any] | None:
        return None if named is None else {"id": named[0], "name": named[1]}

    if found is None:
        return None
    return {
        "previous": student(found.previous),
        "following": student(found.following),
        "number": found.number,
        "count": found.count,
    }


def enrollment(enrollment: Enrollment) -> dict[str, Any]:
    return {
        "id": enrollment.pk,
        "role": enrollment.role,
        "state": enrollment.state,
        "username": enrollment.username or (enrollment.student.username if enrollment.student else ""),
        "student": None if enrollment.student is None else student(enrollment.student),
        "section": enrollment.section_id,
        "enrolled_at": time(enrollment.enrolled_at),
    }


def assignment(assignment: Assignment) -> dict[str, Any]:
    return {
        "id": assignment.pk,
        "title": assignment.title,
        "category": assignment.category_id,
        "kind": assignment.kind,
        "points": amount(assignment.points),
        "due_on": assignment.due_on and assignment.due_on.isoformat(),
        "published": assignment.published,
        "posted": assignment.posted,
        "extra_credit": assignment.extra_credit,
        "omit_from_final": assignment.omit_from_final,
        "never_drop": assignment.never_drop,
        "position": assignment.position,
    }


def grade(grade: Grade | None) -> dict[str, Any]:
    """Version 0 is a grade that was never stored."""
    if grade is None:
        return {**_content(None, Status.NONE, Decimal(0), ""), "version": 0, "updated_by": None, "updated_at": None}
    return {
        **_content(grade.score, grade.status, grade.late_deduction, grade.comment),
        "version": grade.version,
        "updated_by": grade.updated_by,
        "updated_at": time(grade.updated_at),
    }


def cell(student_id: int, assignment_id: int, stored: Grade | None) -> dict[str, Any]:
    """A grade with its place, also where nothing is stored."""
    return {
        "id": grade_id(student_id, assignment_id),
        "student": student_id,
        "assignment": assignment_id,
        **grade(stored),
    }


def warnings(*, score: Decimal | None, points: Decimal) -> list[dict[str, str]]:
    """Warnings about a grade that was stored all the same."""
    if score is None or score <= points:
        return []
    detail = f"The score {amount(score)} is above the {amount(points)} points of this assignment."
    return [{"code": "above-points", "detail": detail}]


def change(change: GradeChange) -> dict[str, Any]:
    before = _content(change.score_before, change.status_before, change.late_deduction_before, change.comment_before)
    return {
        "id": change.pk,
        "version": change.version,
        "at": time(change.at),
        "author": change.author,
        "source": change.source,
        "via": change.via,
        "batch": change.batch_id,
        "before": before if change.version > 1 else None,
        "after": _content(change.score_after, change.status_after, change.late_deduction_after, change.comment_after),
    }


def batch(batch: ImportBatch) -> dict[str, Any]:
    return {
        "id": batch.pk,
        "source": batch.source,
        "progress": batch.progress,
        "author": batch.author,
        "created_at": time(batch.created_at),
        "finished_at": batch.finished_at and time(batch.finished_at),
        "filename": batch.filename or None,
        "undoes": batch.undoes_id,
    }


def total(total: scoring.Total, letters: scoring.Letters) -> dict[str, Any]:
    return percentage(None if total.percent is None else f"{total.percent:f}", letters)


def percentage(percent: str | None, letters: scoring.Letters) -> dict[str, Any]:
    """A total as it is stored, with its letter."""
    return {"percent": percent, "letter": None if percent is None else scoring.letter(Decimal(percent), letters)}


def totals(standing: Standing, *, with_unposted: bool) -> dict[str, Any]:
    """The totals; those with the grades that are not posted yet are for staff."""
    found = {"current": standing.current, "final": standing.final}
    if with_unposted:
        found |= {"unposted_current": standing.unposted_current, "unposted_final": standing.unposted_final}
    return {name: total(each, standing.plan.letters) for name, each in found.items()}


def students_totals(standings: Iterable[Standing]) -> list[dict[str, Any]]:
    """The totals of students whose grades staff have changed."""
    return [{"id": each.student.pk, **totals(each, with_unposted=True)} for each in standings]


def statistics(statistics: Statistics) -> dict[str, Any]:
    figures = {
        name: None if value is None else amount(value)
        for name, value in vars(statistics).items()
        if name not in {"count", "histogram"}
    }
    return {"count": statistics.count, **figures, "histogram": list(statistics.histogram)}


def explanation(
    total: scoring.Total,
    *,
    weighted: bool,
    categories: dict[int, Category],
    assignments: dict[int, Assignment],
    shows_hidden: bool,
) -> dict[str, Any]:
    """Every line of a total, and the sum they make: enough to work it out again by hand, exactly.

    Scores that are not posted are left out unless `shows_hidden`.
    """
    formula = rounding = None
    if total.exact is not None:
        rounded = _percent(total.exact)
        formula = f"{_weighted_sum(total.parts) if weighted else _sum_of_points(total.parts)} = {rounded}"
        # The exact percentage as a fraction, and the one rounding.
        rounding = {"exact": str(total.exact), "rounded": rounded, "rule": "half up, to 0.01, once"}
    return {
        "formula": formula,
        "rounding": rounding,
        "categories": [
            _part(part, categories[part.category.id], assignments, shows_hidden=shows_hidden) for part in total.parts
        ],
    }


def _part(
    part: scoring.Part, category: Category, assignments: dict[int, Assignment], *, shows_hidden: bool
) -> dict[str, Any]:
    return {
        "category": category.pk,
        "title": category.title,
        "weight": amount(category.weight),
        "earned": amount(part.earned),
        "possible": amount(part.possible),
        "percent": _percent(part.ratio and part.ratio * 100),
        "lines": [_line(line, assignments[line.item.id], shows_hidden=shows_hidden) for line in part.lines],
    }


def _line(line: scoring.Line, assignment: Assignment, *, shows_hidden: bool) -> dict[str, Any]:
    shown = line.item.posted or shows_hidden
    score = line.item.score if shown else None
    return {
        "assignment": assignment.pk,
        "title": assignment.title,
        "score": None if score is None else amount(score),
        "late_deduction": amount(line.item.late_deduction if shown else Decimal(0)),
        "points": amount(line.item.points),
        "counts": line.outcome.counts,
        "outcome": line.outcome.name.lower(),
        "reason": REASONS[line.outcome],
        "earned": amount(line.earned),
        "possible": amount(line.possible),
    }


def _weighted_sum(parts: Iterable[scoring.Part]) -> str:
    counting = [part for part in parts if part.ratio is not None]
    terms = " + ".join(
        f"{amount(part.category.weight)} {TIMES} {amount(part.earned)}/{amount(part.possible)}" for part in counting
    )
    weight = min(sum(part.category.weight for part in counting), Decimal(100))
    return f"100 {TIMES} ({terms}) / {amount(Decimal(weight))}"


def _sum_of_points(parts: Iterable[scoring.Part]) -> str:
    parts = list(parts)
    earned, possible = sum(part.earned for part in parts), sum(part.possible for part in parts)
    return f"100 {TIMES} {amount(Decimal(earned))} / {amount(Decimal(possible))}"


def content(content: Any) -> dict[str, Any]:
    """The part of a grade that a teacher entered."""
    return _content(content.score, content.status, content.late_deduction, content.comment)


def _content(score: Decimal | None, status: str, late_deduction: Decimal, comment: str) -> dict[str, Any]:
    return {
        "score": None if score is None else amount(score),
        "status": status,
        "excused": status == Status.EXCUSED,
        "late_deduction": amount(late_deduction),
        "comment": comment,
    }


def _percent(exact: Any) -> str | None:
    return None if exact is None else f"{scoring.rounded(exact):f}"
