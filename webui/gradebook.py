"""The gradebook's view of a course: which students and assignments it shows, in which order."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from webui.upstream.grading_answers import Assignment, Grade, Gradebook, Status, StudentRow


class Work(StrEnum):
    ANY = ""
    MISSING = "missing"
    UNGRADED = "ungraded"


class Order(StrEnum):
    NAME = "name"
    LOWEST_FIRST = "lowest"
    HIGHEST_FIRST = "highest"


@dataclass(frozen=True, kw_only=True)
class Filters:
    text: str = ""
    section: int | None = None
    category: int | None = None
    work: Work = Work.ANY
    order: Order = Order.NAME


@dataclass(frozen=True, kw_only=True)
class Excerpt:
    assignments: list[Assignment]
    rows: list[StudentRow]


def read_filters(query: Mapping[str, str]) -> Filters:
    """Read the filters; a value that names nothing known filters nothing."""
    return Filters(
        text=query.get("q", "").strip(),
        section=read_id(query.get("section", "")),
        category=read_id(query.get("category", "")),
        work=_member(Work, query.get("work", ""), Work.ANY),
        order=_member(Order, query.get("order", ""), Order.NAME),
    )


def excerpt(book: Gradebook, filters: Filters, *, today: date) -> Excerpt:
    """Rows keep only the grades of the assignments shown, in their order."""
    assignments, rows = book.assignments, book.students
    if filters.section is not None or filters.text:
        rows = [row for row in rows if filters.section in (None, row.section) and matches(row.name, filters.text)]
    if filters.category is not None:
        columns = [index for index, each in enumerate(assignments) if each.category == filters.category]
        assignments = [assignments[index] for index in columns]
        rows = [row.with_grades([row.grades[index] for index in columns]) for row in rows]
    if filters.work:
        is_shown = is_missing if filters.work is Work.MISSING else is_ungraded
        rows = [
            row
            for row in rows
            if any(is_shown(grade, each, today=today) for grade, each in zip(row.grades, assignments, strict=True))
        ]
    if filters.order is not Order.NAME:
        # Students without a total come last in either order.
        sign = 1 if filters.order is Order.LOWEST_FIRST else -1
        rows = sorted(rows, key=lambda row: (row.current.percent is None, sign * Decimal(row.current.percent or 0)))
    return Excerpt(assignments=assignments, rows=rows)


def is_ungraded(grade: Grade, assignment: Assignment, *, today: date) -> bool:
    return grade.score is None and grade.status is not Status.EXCUSED


def is_missing(grade: Grade, assignment: Assignment, *, today: date) -> bool:
    """Marked missing, or without a score though it was due."""
    is_overdue = assignment.due_on is not None and assignment.due_on < today
    return grade.status is Status.MISSING or (is_overdue and is_ungraded(grade, assignment, today=today))


def matches(name: str, text: str) -> bool:
    """Every word of the text lies in the name, in any order, case and with or without its accents."""
    plain_name = _plain(name)
    return all(word in plain_name for word in _plain(text).split())


def read_id(text: str) -> int | None:
    """The number that a query names; None where it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _member(choices: Any, text: str, default: Any) -> Any:
    return choices(text) if text in choices._value2member_map_ else default
