"""Courses, students and grades, for the person who asks; grading decides what they may see and write.

Scores and percentages stay the strings that grading writes: no float ever touches them. A gradebook has thousands of
grades, which are structs because those are read in a fraction of the time that dataclasses take.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from django.conf import settings
from msgspec import Struct, field, structs

from config import shapes
from webui.upstream import exchange
from webui.upstream.exchange import Answer, Refused


class Status(StrEnum):
    NONE = "none"
    MISSING = "missing"
    LATE = "late"
    EXCUSED = "excused"
    INCOMPLETE = "incomplete"


class Letter(Struct, frozen=True, kw_only=True):
    letter: str
    least_percent: str


class Course(Struct, frozen=True, kw_only=True):
    """`may_write` is about grades, `may_edit` about the course and who is in it."""

    code: str
    title: str
    scheme: str = "weighted"
    term: str | None = None
    scale: int | None = None
    role: str = ""
    may_write: bool = False
    may_edit: bool = False


class Term(Struct, frozen=True, kw_only=True):
    code: str
    title: str


class Scale(Struct, frozen=True, kw_only=True):
    """Letters that a course may have instead of the usual ones."""

    id: int
    title: str


class Category(Struct, frozen=True, kw_only=True):
    id: int
    title: str
    kind: str = "homework"
    weight: str = "0"
    drop_lowest: int = 0
    drop_highest: int = 0


class Section(Struct, frozen=True, kw_only=True):
    id: int
    title: str


class Assignment(Struct, frozen=True, kw_only=True):
    id: int
    title: str
    category: int
    points: str
    kind: str = "homework"
    due_on: date | None = None
    published: bool = True
    posted: bool = True
    extra_credit: bool = False
    omit_from_final: bool = False
    never_drop: bool = False


class CourseInFull(Course, frozen=True, kw_only=True):
    teachers: list[str] = field(default_factory=list)
    assistants: list[str] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    categories: list[Category] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)


class Total(Struct, frozen=True, kw_only=True, gc=False):
    """A total; None where nothing counts yet, which is not 0 %."""

    percent: str | None = None
    letter: str | None = None


class Student(Struct, frozen=True, kw_only=True):
    id: int
    name: str
    username: str = ""
    sis_id: str | None = None
    section: int | None = None


class Grade(Struct, frozen=True, kw_only=True, gc=False):
    """Version 0 is a grade that was never stored."""

    score: str | None = None
    status: Status = Status.NONE
    late_deduction: str = "0"
    comment: str = ""
    version: int = 0
    updated_by: str | None = None
    updated_at: datetime | None = None


class StudentRow(Student, frozen=True, kw_only=True):
    """One student's line of a gradebook; `grades` in the order of its assignments."""

    state: str = "active"
    current: Total = Total()
    final: Total = Total()
    grades: list[Grade] = field(default_factory=list)

    def with_grades(self, grades: list[Grade]) -> "StudentRow":
        return structs.replace(self, grades=grades)


class Gradebook(Struct, frozen=True, kw_only=True):
    course: Course
    categories: list[Category]
    assignments: list[Assignment]
    students: list[StudentRow]
    sections: list[Section] = field(default_factory=list)


class Line(Struct, frozen=True, kw_only=True):
    """One assignment's part in a total; `reason` says why it counts, or does not."""

    assignment: int
    title: str
    points: str
    score: str | None
    counts: bool
    reason: str
    outcome: str = ""
    late_deduction: str = "0"
    earned: str = "0"
    possible: str = "0"

    @property
    def is_dropped(self) -> bool:
        return self.outcome.startswith("dropped")


class Part(Struct, frozen=True, kw_only=True):
    """One category's part in a total."""

    category: int
    title: str
    weight: str
    earned: str
    possible: str
    percent: str | None
    lines: list[Line]


class Rounding(Struct, frozen=True, kw_only=True):
    exact: str
    rounded: str
    rule: str


class Explanation(Struct, frozen=True, kw_only=True):
    formula: str | None
    categories: list[Part]
    rounding: Rounding | None = None


class Explanations(Struct, frozen=True, kw_only=True):
    current: Explanation
    final: Explanation


class GradedAssignment(Assignment, frozen=True, kw_only=True):
    grade: Grade = Grade()


class Neighbour(Struct, frozen=True, kw_only=True):
    """The student or the assignment before or after one."""

    id: int
    name: str = ""
    title: str = ""


class Neighbours(Struct, frozen=True, kw_only=True):
    """The students before and after one, by name."""

    previous: Neighbour | None
    following: Neighbour | None
    number: int
    count: int


class Report(Struct, frozen=True, kw_only=True):
    """Everything that one student got in a course."""

    course: Course
    student: Student
    assignments: list[GradedAssignment]
    current: Total
    final: Total
    explanation: Explanations
    neighbours: Neighbours | None = None


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A change of one grade that a person asks for, with the version that they saw."""

    student: int
    assignment: int
    version: int
    score: str | None
    status: Status
    late_deduction: str | None = None
    comment: str | None = None

    # Whether the person means a score above the points.
    may_exceed: bool = False

    def members(self) -> dict[str, Any]:
        given = {"late_deduction": self.late_deduction, "comment": self.comment}
        changed = {name: value for name, value in given.items() if value is not None}
        asks = {"confirmed": True} if self.may_exceed else {"within_points": True}
        return {"score": self.score, "status": self.status, **asks, **changed}


class Stored(Struct, frozen=True, kw_only=True):
    """A grade as it was stored, the student's totals with it, and the change to undo; None where nothing changed."""

    grade: Grade
    current: Total
    final: Total
    change: int | None = None


class Batch(Struct, frozen=True, kw_only=True):
    """Changes that were made together: a file, a bulk write or an undo."""

    id: int
    source: str
    progress: str = "done"
    author: str = ""
    created_at: datetime | None = None
    finished_at: datetime | None = None
    filename: str | None = None
    undoes: int | None = None


class PlacedGrade(Grade, frozen=True, kw_only=True, gc=False):
    """A grade with its student and assignment."""

    student: int
    assignment: int


class StudentTotals(Struct, frozen=True, kw_only=True):
    id: int
    current: Total
    final: Total


class _Refusal(Struct, frozen=True, kw_only=True):
    grade: str = ""
    detail: str = ""


class BatchStored(Struct, frozen=True, kw_only=True):
    """Grades as they were stored, and the totals of their students."""

    batch: Batch
    grades: list[PlacedGrade]
    students: list[StudentTotals] = field(default_factory=list)
    refused: list[_Refusal] = field(default_factory=list)


class Content(Struct, frozen=True, kw_only=True, gc=False):
    """A grade before or after a change."""

    score: str | None = None
    status: Status = Status.NONE
    late_deduction: str = "0"
    comment: str = ""


class Change(Struct, frozen=True, kw_only=True):
    id: int
    version: int
    at: datetime
    author: str
    after: Content
    before: Content | None = None
    source: str = "single"
    via: str = ""
    batch: int | None = None
    student: int = 0
    assignment: int = 0


class Statistics(Struct, frozen=True, kw_only=True):
    """`histogram` counts the scores in each tenth of the points, and last those above."""

    count: int
    histogram: list[int]
    mean: str | None = None
    median: str | None = None
    lower_quartile: str | None = None
    upper_quartile: str | None = None
    deviation: str | None = None
    least: str | None = None
    greatest: str | None = None


class GradeInFull(Struct, frozen=True, kw_only=True):
    """Everything that a page about one grade shows; `changes` with the oldest first."""

    course: Course
    student: Student
    assignment: Assignment
    grade: Grade
    current: Total
    final: Total
    changes: list[Change]
    neighbours: Neighbours | None = None


class GradedStudent(StudentRow, frozen=True, kw_only=True):
    grade: Grade = Grade()


class AssignmentInFull(Struct, frozen=True, kw_only=True):
    """One column of a gradebook, with how its scores are spread."""

    course: Course
    assignment: Assignment
    category: Category
    statistics: Statistics
    students: list[GradedStudent]
    previous: Neighbour | None = None
    following: Neighbour | None = None


class _Named(Struct, frozen=True, kw_only=True):
    id: int
    name: str = ""
    title: str = ""


class History(Struct, frozen=True, kw_only=True):
    """The latest changes of a course, and everybody and everything that they may be of."""

    course: Course
    changes: list[Change]
    students: list[_Named]
    assignments: list[_Named]


class Supposed(Struct, frozen=True, kw_only=True):
    """Totals with supposed scores."""

    current: Total
    final: Total


class Enrollment(Struct, frozen=True, kw_only=True):
    id: int
    role: str
    state: str
    username: str
    student: Student | None = None
    section: int | None = None


class Column(Struct, frozen=True, kw_only=True):
    """A column of a file, and what it is taken for."""

    index: int
    header: str
    meaning: str
    why: str = ""
    assignment: int | None = None
    # The members of an assignment that is to be made.
    category: int | None = None
    points: str | None = None


class ImportedChange(Struct, frozen=True, kw_only=True):
    line: int
    student: int
    name: str
    assignment: int | None
    old: Content
    new: Content
    version: int = 0
    needs_confirmation: bool = False


class ImportedPerson(Struct, frozen=True, kw_only=True):
    line: int = 0
    name: str = ""
    username: str = ""
    role: str = ""
    section: str = ""
    state: str = ""
    action: str = ""


class Notice(Struct, frozen=True, kw_only=True):
    """A fault of a row of a file."""

    line: int = 0
    text: str = ""
    detail: str = ""


class Preview(Struct, frozen=True, kw_only=True):
    columns: list[Column] = field(default_factory=list)
    changes: list[ImportedChange] = field(default_factory=list)
    changes_total: int = 0
    # How many of all need to be confirmed.
    far_above: int = 0
    people: list[ImportedPerson] = field(default_factory=list)
    people_total: int = 0
    same: int = 0
    blank: int = 0
    faults: list[Notice] = field(default_factory=list)
    unknown: list[Notice] = field(default_factory=list)


class RefusedRow(Notice, frozen=True, kw_only=True):
    """A row that was not stored; `theirs` is the grade that somebody else stored since the preview."""

    theirs: Grade | None = None


class ImportOutcome(Struct, frozen=True, kw_only=True):
    stored: int = 0
    # Why it failed.
    detail: str = ""
    refused: list[RefusedRow] = field(default_factory=list)


class Import(Batch, frozen=True, kw_only=True):
    content: str = "grades"
    blanks: str = "keep"
    rows_done: int = 0
    rows_total: int = 0
    preview: Preview = Preview()
    outcome: ImportOutcome | None = None
    # The batch by which it was undone.
    undone_by: int | None = None


class ImportInFull(Import, frozen=True, kw_only=True):
    """An import with its course, whose assignments its columns may mean."""

    course: CourseInFull


class AbovePoints(Exception):
    """The score is above the points and was not confirmed."""

    def __init__(self, points: str) -> None:
        super().__init__(f"The score is above the {points} points.")
        self.points = points


class Overtaken(Exception):
    """Somebody else stored `theirs` first."""

    def __init__(self, theirs: Grade) -> None:
        super().__init__("Somebody else changed this grade first.")
        self.theirs = theirs


@dataclass(frozen=True, kw_only=True)
class RowFault:
    index: int
    detail: str
    theirs: Grade | None = None
    # The points that the score is above, where that is the fault.
    above: str = ""


class RowsRefused(Exception):
    """Nothing of many was stored, because of some."""

    def __init__(self, rows: list[RowFault]) -> None:
        super().__init__(f"{len(rows)} rows are refused.")
        self.rows = rows


class _Courses(Struct, frozen=True, kw_only=True):
    courses: list[Course]


class _Terms(Struct, frozen=True, kw_only=True):
    terms: list[Term]


class _Scales(Struct, frozen=True, kw_only=True):
    scales: list[Scale]


class People(Struct, frozen=True, kw_only=True):
    course: Course
    sections: list[Section]
    enrollments: list[Enrollment]


class Batches(Struct, frozen=True, kw_only=True):
    """Batches, the latest first."""

    course: Course
    batches: list[Batch]


class _Problem(Struct, frozen=True, kw_only=True):
    type: str = ""
    theirs: Grade | None = None
    points: str = ""


class _Fault(Struct, frozen=True, kw_only=True):
    pointer: str = ""
    detail: str = ""
    theirs: Grade | None = None
    points: str = ""


class _Faults(Struct, frozen=True, kw_only=True):
    errors: list[_Fault] = field(default_factory=list)


class _Made(Struct, frozen=True, kw_only=True):
    id: int


def courses(person: str) -> list[Course]:
    return _ask(person, "/v1/courses", _Courses).courses


def terms(person: str) -> list[Term]:
    return _ask(person, "/v1/terms", _Terms).terms


def scales(person: str) -> list[Scale]:
    return _ask(person, "/v1/scales", _Scales).scales


def course(person: str, code: str) -> CourseInFull:
    return _ask(person, _path(code), CourseInFull)


def gradebook(person: str, code: str) -> Gradebook:
    return _ask(person, _path(code, "gradebook"), Gradebook)


def report(person: str, code: str, student_id: int) -> Report:
    return _ask(person, _path(code, "students", student_id), Report)


def suppose(person: str, code: str, student_id: int, scores: Mapping[int, str | None]) -> Supposed:
    """Compute the totals with these scores; nothing is stored."""
    body = {"course": code, "scores": [{"assignment": key, "score": score} for key, score in scores.items()]}
    return _ask(person, f"/v1/students/{student_id}/what-if", Supposed, method="POST", body=body)


def assignment(person: str, code: str, assignment_id: int) -> AssignmentInFull:
    return _ask(person, _path(code, "assignments", assignment_id, "grades"), AssignmentInFull)


def grade(person: str, student_id: int, assignment_id: int) -> GradeInFull:
    return _ask(person, f"/v1/grades/{student_id}-{assignment_id}/full", GradeInFull)


def store(person: str, edit: Edit) -> Stored:
    """Raises Overtaken when the version seen is no longer the one stored, AbovePoints where that must be confirmed."""
    path, headers = f"/v1/grades/{edit.student}-{edit.assignment}", {"If-Match": f'"{edit.version}"'}
    try:
        return _ask(person, path, Stored, method="PATCH", headers=headers, body=edit.members())
    except Refused as refusal:
        problem = shapes.decoder(_Problem).decode(refusal.body)
        if refusal.status == 412 and problem.theirs is not None:
            raise Overtaken(problem.theirs) from refusal
        if problem.type.endswith(":above-points"):
            raise AbovePoints(problem.points) from refusal
        raise


def store_all(person: str, code: str, edits: Sequence[Edit]) -> BatchStored:
    """Store all or none; raises RowsRefused, with the rows that stand in the way."""
    rows = [
        {"student": each.student, "assignment": each.assignment, "version": each.version, **each.members()}
        for each in edits
    ]
    try:
        return _ask(person, _path(code, "grades:bulk"), BatchStored, method="POST", body={"grades": rows})
    except Refused as refusal:
        if refusal.status not in (412, 422, 428):
            raise
        faults = shapes.decoder(_Faults).decode(refusal.body).errors
        found = [(re.match(r"/grades/([0-9]+)", fault.pointer), fault) for fault in faults]
        raise RowsRefused(
            [
                RowFault(index=int(row[1]), detail=fault.detail, theirs=fault.theirs, above=fault.points)
                for row, fault in found
                if row
            ]
        ) from refusal


def history(person: str, code: str, **filters: int | None) -> History:
    """Changes with the latest first; `before` is the id of the last one on the page before."""
    params = {name: str(value) for name, value in filters.items() if value is not None}
    return _ask(person, _path(code, "changes"), History, params=params)


def undo_change(person: str, code: str, change_id: int) -> BatchStored:
    return _ask(person, _path(code, "changes", f"{change_id}:undo"), BatchStored, method="POST")


def undo_batch(person: str, code: str, batch_id: int) -> BatchStored:
    return _ask(person, _path(code, "batches", f"{batch_id}:undo"), BatchStored, method="POST")


def people(person: str, code: str) -> People:
    return _ask(person, _path(code, "enrollments"), People)


def create(person: str, code: str, kind: str, members: Mapping[str, Any]) -> int:
    """Create one of the course's students, assignments, categories, sections or enrollments; returns its id."""
    return _ask(person, _path(code, kind), _Made, method="POST", body=members).id


def create_course(person: str, members: Mapping[str, Any]) -> Course:
    return _ask(person, "/v1/courses", Course, method="POST", body=members)


def change(person: str, code: str, kind: str, key: int, members: Mapping[str, Any]) -> None:
    _ask(person, _path(code, kind, key), _Made, method="PATCH", body=members)


def change_course(person: str, code: str, members: Mapping[str, Any]) -> None:
    _ask(person, _path(code), Course, method="PATCH", body=members)


def start_import(person: str, code: str, *, file: bytes, params: Mapping[str, str]) -> Import:
    """Have a file read; nothing is stored until it is confirmed."""
    question = _question(person, _path(code, "imports"), method="POST", params=params)
    headers = {**(question.headers or {}), "Content-Type": "application/octet-stream"}
    return exchange.ask(replace(question, content=file, headers=headers), Import)


def find_import(person: str, code: str, key: int) -> ImportInFull:
    return _ask(person, _path(code, "imports", key), ImportInFull, params={"limit": "500"})


def follow_import(person: str, code: str, key: int) -> Import:
    """The import's progress, without its preview."""
    return _ask(person, _path(code, "imports", key), Import, params={"limit": "0"})


def remap_import(person: str, code: str, key: int, members: Mapping[str, Any]) -> Import:
    return _ask(person, _path(code, "imports", key), Import, method="PATCH", body=members)


def confirm_import(person: str, code: str, key: int, members: Mapping[str, Any]) -> Import:
    return _ask(person, _path(code, "imports", f"{key}:confirm"), Import, method="POST", body=members)


def cancel_import(person: str, code: str, key: int) -> None:
    exchange.fetch(_question(person, _path(code, "imports", key), method="DELETE"))


def batches(person: str, code: str) -> Batches:
    return _ask(person, _path(code, "batches"), Batches)


def export(person: str, code: str, name: str) -> exchange.Reply:
    """A whole course as a file: `canvas.csv` or `oneroster.zip`."""
    return exchange.fetch(_question(person, _path(code, "export", name)))


def report_document(person: str, code: str, student_id: int) -> exchange.Reply:
    """One student's report as a PDF."""
    return exchange.fetch(_question(person, f"/v1/students/{student_id}/report.pdf", params={"course": code}))


def delete(person: str, code: str, kind: str, key: int) -> None:
    exchange.fetch(_question(person, _path(code, kind, key), method="DELETE"))


def _ask(person: str, path: str, answer: type[Answer], **members: Any) -> Answer:
    return exchange.ask(_question(person, path, **members), answer)


def _question(
    person: str,
    path: str,
    *,
    method: str = "GET",
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    body: Any = None,
) -> exchange.Question:
    return exchange.Question(
        service="grading",
        method=method,
        path=path,
        token=settings.GRADING_TOKEN,
        params=params,
        headers={"Rollcall-Act-For": quote(person, safe=""), **(headers or {})},
        body=body,
    )


def _path(code: str, *segments: str | int) -> str:
    return "/".join(["/v1/courses", quote(code, safe=""), *map(str, segments)])
