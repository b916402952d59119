"""Files of grades, as Canvas exports them or plain: what each cell would change."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from msgspec import structs

from config.problems import Invalid
from grading import gradebook, representation
from grading.drafts import AMOUNT_LIMIT
from grading.files.columns import Column
from grading.files.people import Mismatch, Named, Roll, named, refuse_doubled
from grading.files.tables import Row, Table
from grading.models import Assignment, Grade, Status, Student

MOST_CELLS = 40_000
_BLANKS = frozenset({"", "n/a", "na", "-", "\u2013", "\u2014"})
_STATUSES = {"ex": Status.EXCUSED, "excused": Status.EXCUSED, "mi": Status.MISSING, "missing": Status.MISSING}
# A decimal comma or point; no separators of thousands, whose comma would be taken for a decimal one.
_SCORE = re.compile(r"[0-9]{1,20}([.,][0-9]{1,2})?")

Cell = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Change:
    """A cell that the file would change, with the version it was compared with.

    An assignment that is to be made first has the negative index of its column, less one, for an id.
    """

    line: int
    student: Student
    assignment_id: int
    version: int
    old: gradebook.Content
    new: gradebook.Content
    points: Decimal

    @property
    def needs_confirmation(self) -> bool:
        limit = self.points * gradebook.CONFIRMED_ABOVE_TIMES
        return self.new.score is not None and self.new.score != self.old.score and 0 < limit < self.new.score

    def body(self) -> dict[str, Any]:
        return {
            "line": self.line,
            "student": self.student.pk,
            "name": self.student.name,
            "assignment": self.assignment_id,
            "version": self.version,
            "old": representation.content(self.old),
            "new": representation.content(self.new),
            "warnings": representation.warnings(score=self.new.score, points=self.points),
            "needs_confirmation": self.needs_confirmation,
        }


@dataclass(frozen=True, kw_only=True)
class Preview:
    """`faults` are cells that cannot be read, `unknown` rows of people who are not in the course."""

    changes: tuple[Change, ...]
    faults: tuple[dict[str, Any], ...]
    unknown: tuple[dict[str, Any], ...]
    same: int
    blank: int


def students_rows(table: Table, columns: Sequence[Column]) -> Iterator[tuple[Row, Named]]:
    """Rows of students: neither Canvas's two rows before them nor those that say nothing of anybody."""
    for row in table.rows:
        words = named(row, columns)
        is_posting_policy = not words and any(cell.casefold() == "manual posting" for cell in row.cells)
        if not _holds_points(row) and not is_posting_policy:
            yield row, words


def possible_points(table: Table) -> dict[int, str]:
    """The row `Points Possible` by column, where the file has one."""
    for row in table.rows:
        if _holds_points(row):
            return {index: cell for index, cell in enumerate(row.cells) if _SCORE.fullmatch(cell)}
    return {}


def _holds_points(row: Row) -> bool:
    """Also in the second column: some programs put one of row numbers in front."""
    return any(cell.casefold() == "points possible" for cell in row.cells[:2])


def read_score(text: str) -> Decimal:
    """Raises ValueError."""
    if not _SCORE.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no score: expected digits with at most two decimals, EX or a blank.")
    score = Decimal(text.replace(",", "."))
    if score > AMOUNT_LIMIT:
        raise ValueError(f"{text[:40]!r} is above {AMOUNT_LIMIT}.")
    return score


def preview(
    table: Table,
    columns: Sequence[Column],
    *,
    roll: Roll,
    assignments: Mapping[int, Assignment],
    present: Mapping[Cell, Grade],
    trusts_ids: bool,
    clears_blanks: bool,
) -> Preview:
    """Compare every cell with the grade that is stored. Raises Invalid for a student or an assignment named twice."""
    graded = [column for column in columns if column.meaning in {"assignment", "new"}]
    _refuse_doubled_columns(graded)
    points = {
        each.index: assignments[each.assignment_id].points if each.assignment_id else Decimal(each.points or 0)
        for each in graded
    }
    changes: list[Change] = []
    faults: list[dict[str, Any]] = []
    unknown: list[dict[str, Any]] = []
    lines: dict[int, list[int]] = {}
    counts = {"same": 0, "blank": 0}
    for row, words in students_rows(table, columns):
        try:
            if wrong := table.surplus(row) or ("" if words else "The row names no student."):
                raise Mismatch(wrong)
            student = roll.find(words, trusts_ids=trusts_ids)
        except Mismatch as mismatch:
            entry = {"line": row.line, "text": str(words) or "; ".join(row.cells)[:80], "detail": mismatch.detail}
            (unknown if mismatch.is_unknown else faults).append(entry)
            continue
        lines.setdefault(student.pk, []).append(row.line)
        for column in graded:
            key = column.assignment_id or -column.index - 1
            grade = present.get((student.pk, key))
            old = gradebook.Content.of(grade)
            try:
                new = _content(row.cell(column.index), old, clears_blanks=clears_blanks)
            except ValueError as error:
                faults.append({"line": row.line, "column": column.index, "text": column.header, "detail": str(error)})
                continue
            if new == old:
                counts["blank" if row.cell(column.index).casefold() in _BLANKS else "same"] += 1
                continue
            changes.append(
                Change(
                    line=row.line,
                    student=student,
                    assignment_id=key,
                    version=grade.version if grade else 0,
                    old=old,
                    new=new,
                    points=points[column.index],
                )
            )
        if len(changes) > MOST_CELLS:
            raise Invalid(f"The file would change more than {MOST_CELLS} grades: divide it.")
    refuse_doubled("student", [(roll.name(student_id), found) for student_id, found in lines.items()])
    return Preview(changes=tuple(changes), faults=tuple(faults), unknown=tuple(unknown), **counts)


def _content(text: str, old: gradebook.Content, *, clears_blanks: bool) -> gradebook.Content:
    """The grade that a cell makes of the one before. A blank changes nothing unless it is to clear. Raises ValueError.

    A new score takes the place of `excused` and `missing`; `late` and its deduction stay, as the score is the one that
    was entered. What an export wrote changes nothing.
    """
    word = text.casefold()
    if word in _BLANKS:
        return gradebook.Content(comment=old.comment) if clears_blanks and old.score is not None else old
    if word in _STATUSES:
        is_same = old.status == _STATUSES[word]
        return old if is_same else gradebook.Content(status=_STATUSES[word], comment=old.comment)
    score = read_score(text)
    if score == old.score and old.status != Status.EXCUSED:
        return old
    if old.status in {Status.EXCUSED, Status.MISSING}:
        return gradebook.Content(score=score, comment=old.comment)
    return structs.replace(old, score=score)


def _refuse_doubled_columns(graded: Sequence[Column]) -> None:
    seen: dict[int, Column] = {}
    for column in graded:
        if column.assignment_id is None:
            continue
        if (other := seen.get(column.assignment_id)) is not None:
            raise Invalid(
                f"The columns {other.index + 1} ({other.header}) and {column.index + 1} ({column.header}) are the same "
                "assignment: ignore one of them."
            )
        seen[column.assignment_id] = column
