"""How what is kept looks on the wire: amounts and percentages as decimal strings, times in UTC."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from grading import scoring
from grading.models import Assignment, Category, Course, Grade, GradeChange, Student

TIMES = "\N{MULTIPLICATION SIGN}"
REASONS = {
    scoring.Outcome.COUNTED: "counts",
    scoring.Outcome.COUNTED_AS_ZERO: "not graded, counts as zero",
    scoring.Outcome.EXTRA_CREDIT: "extra credit: adds to the score, not to the points",
    scoring.Outcome.DROPPED_LOWEST: "dropped: without it the category's percentage is highest",
    scoring.Outcome.DROPPED_HIGHEST: "dropped: the category leaves out its highest",
    scoring.Outcome.NOT_GRADED: "not graded yet",
    scoring.Outcome.EXCUSED: "excused",
    scoring.Outcome.OMITTED: "does not count towards the total",
    scoring.Outcome.UNPUBLISHED: "not published yet",
}


def amount(value: Decimal) -> str:
    """`9.5` for 9.50 and `100` for 1E+2."""
    return f"{value.normalize():f}" if value else "0"


def time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def course(course: Course, *, may_write: bool) -> dict[str, Any]:
    return {"code": course.code, "title": course.title, "scheme": course.scheme, "may_write": may_write}


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
    return {"id": student.pk, "name": student.name, "username": student.username}


def assignment(assignment: Assignment) -> dict[str, Any]:
    return {
        "id": assignment.pk,
        "title": assignment.title,
        "category": assignment.category_id,
        "kind": assignment.category.kind,
        "points": amount(assignment.points),
        "due_on": assignment.due_on and assignment.due_on.isoformat(),
        "published": assignment.published,
        "extra_credit": assignment.extra_credit,
        "omit_from_final": assignment.omit_from_final,
        "never_drop": assignment.never_drop,
        "position": assignment.position,
    }


def grade(grade: Grade | None) -> dict[str, Any]:
    """Version 0 is a grade that nobody stored yet."""
    if grade is None:
        return {"score": None, "excused": False, "comment": "", "version": 0, "updated_by": None, "updated_at": None}
    return {
        **_content(grade.score, grade.excused, grade.comment),
        "version": grade.version,
        "updated_by": grade.updated_by,
        "updated_at": time(grade.updated_at),
    }


def change(change: GradeChange) -> dict[str, Any]:
    before = _content(change.score_before, change.excused_before, change.comment_before)
    return {
        "version": change.version,
        "at": time(change.at),
        "author": change.author,
        "before": before if change.version > 1 else None,
        "after": _content(change.score_after, change.excused_after, change.comment_after),
    }


def total(total: scoring.Total) -> dict[str, Any]:
    return {"percent": _percent(total.exact), "letter": total.letter}


def explanation(
    total: scoring.Total, *, weighted: bool, categories: dict[int, Category], assignments: dict[int, Assignment]
) -> dict[str, Any]:
    """Every line of a total, and the sum they make: enough to work it out again by hand, exactly."""
    return {
        "formula": _formula(total, weighted=weighted),
        "categories": [_part(part, categories[part.category.id], assignments) for part in total.parts],
    }


def _part(part: scoring.Part, category: Category, assignments: dict[int, Assignment]) -> dict[str, Any]:
    return {
        "category": category.pk,
        "title": category.title,
        "weight": amount(category.weight),
        "earned": amount(part.earned),
        "possible": amount(part.possible),
        "percent": _percent(part.ratio and part.ratio * 100),
        "lines": [_line(line, assignments[line.item.id]) for line in part.lines],
    }


def _line(line: scoring.Line, assignment: Assignment) -> dict[str, Any]:
    return {
        "assignment": assignment.pk,
        "title": assignment.title,
        "score": None if line.item.score is None else amount(line.item.score),
        "points": amount(line.item.points),
        "counts": line.outcome.counts,
        "outcome": line.outcome.name.lower(),
        "reason": REASONS[line.outcome],
        "earned": amount(line.earned),
        "possible": amount(line.possible),
    }


def _formula(total: scoring.Total, *, weighted: bool) -> str | None:
    if total.exact is None:
        return None
    return f"{_weighted_sum(total.parts) if weighted else _sum_of_points(total.parts)} = {_percent(total.exact)}"


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


def _content(score: Decimal | None, excused: bool, comment: str) -> dict[str, Any]:
    return {"score": None if score is None else amount(score), "excused": excused, "comment": comment}


def _percent(exact: Any) -> str | None:
    return None if exact is None else f"{scoring.rounded(exact):f}"
