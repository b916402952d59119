"""Asks grading for courses, students and grades, in the name of the person who asks, and sends their changes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from django.conf import settings
from msgspec import Struct, field

from config import shapes
from webui.upstream import exchange
from webui.upstream.exchange import Answer, Refused
from webui.upstream.grading_answers import (
    AssignmentInFull,
    Batches,
    BatchStored,
    Course,
    CourseInFull,
    Grade,
    Gradebook,
    GradeInFull,
    History,
    Import,
    ImportInFull,
    People,
    Report,
    Scale,
    Status,
    Stored,
    Supposed,
    Term,
)


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
