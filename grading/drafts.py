"""Contents that callers send to be stored, with the limits of each member."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from grading.models import MOST_COMMENT_CHARACTERS, Kind, Role, Scheme, State, Status

AMOUNT_LIMIT = Decimal("9999999.99")
CENT = Decimal("0.01")
# Scores, points and weights as text: ASCII digits and at most two decimals; no sign, exponent, blank or separator.
PLAIN_AMOUNT = re.compile(r"[0-9]{1,20}(\.[0-9]{1,2})?")
AMOUNT_RULE = f"Expected a plain number from 0 to {AMOUNT_LIMIT} with at most two decimals, such as 9.5."

# The rule that each pattern expresses, in words.
RULES = {
    r"^[a-z0-9][a-z0-9-]{0,62}\Z": "Expected lower-case letters, digits and '-', at most 63, no '-' first.",
    r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]*\Z": (
        "Expected a text that is not blank, on one line, without control characters."
    ),
    r"^[\w.@+-]{1,150}\Z": "Expected letters, digits and _ . @ + - alone, at most 150.",
    r"^[A-Za-z0-9._@:+/-]{1,64}\Z": "Expected letters, digits and . _ @ : + / - alone, at most 64.",
    r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]*\Z": (
        "Expected a text without control characters; it may have several lines."
    ),
}
_CODE, _LINE, _USERNAME, _SIS_ID, _TEXT = RULES

Code = Annotated[str, Meta(pattern=_CODE)]
Line = Annotated[str, Meta(min_length=1, max_length=200, pattern=_LINE)]
Letter = Annotated[str, Meta(min_length=1, max_length=16, pattern=_LINE)]
Username = Annotated[str, Meta(pattern=_USERNAME)]
SisId = Annotated[str, Meta(pattern=_SIS_ID)]
Small = Annotated[int, Meta(ge=0, le=32767)]
Id = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Version = Annotated[int, Meta(ge=0, le=2**31 - 1)]
# More at once, or in one course, would keep the service from answering others.
FEW, MANY = 100, 1000
MOST_CATEGORIES, MOST_ASSIGNMENTS = FEW, 500
Comment = Annotated[str, Meta(max_length=MOST_COMMENT_CHARACTERS, pattern=_TEXT)]


class MemberError(ValueError):
    """A fault of one member that its type alone cannot express."""

    def __init__(self, member: str, detail: str) -> None:
        super().__init__(f"`{member}`: {detail}")
        self.member = member
        self.detail = detail


@dataclass(frozen=True, kw_only=True)
class TermDraft:
    code: Code
    title: Line
    starts_on: date
    ends_on: date

    def __post_init__(self) -> None:
        if self.ends_on < self.starts_on:
            raise MemberError("ends_on", "A term ends on the day it starts, or later.")


@dataclass(frozen=True, kw_only=True)
class StepDraft:
    letter: Letter
    least_percent: Decimal

    def __post_init__(self) -> None:
        _check_amount("least_percent", self.least_percent, limit=Decimal("999.99"))


@dataclass(frozen=True, kw_only=True)
class ScaleDraft:
    title: Line
    steps: Annotated[tuple[StepDraft, ...], Meta(max_length=FEW)]

    def __post_init__(self) -> None:
        for member in ("letter", "least_percent"):
            values = [getattr(step, member) for step in self.steps]
            if len(set(values)) < len(values):
                raise MemberError("steps", f"Two of them have the same {member}: give each its own.")
        if not any(step.least_percent == 0 for step in self.steps):
            raise MemberError("steps", "One letter must begin at 0, so that every percentage has one.")


@dataclass(frozen=True, kw_only=True)
class CategoryDraft:
    title: Line
    kind: Kind
    weight: Decimal = Decimal(0)
    drop_lowest: Small = 0
    drop_highest: Small = 0

    def __post_init__(self) -> None:
        _check_amount("weight", self.weight)


@dataclass(frozen=True, kw_only=True)
class CategoryPatch:
    title: Line | UnsetType = UNSET
    kind: Kind | UnsetType = UNSET
    weight: Decimal | UnsetType = UNSET
    drop_lowest: Small | UnsetType = UNSET
    drop_highest: Small | UnsetType = UNSET
    position: Small | UnsetType = UNSET

    def __post_init__(self) -> None:
        _check_amount("weight", self.weight)


@dataclass(frozen=True, kw_only=True)
class CourseDraft:
    """`term` is the code of one, `scale` the id of one."""

    code: Code
    title: Line
    scheme: Scheme = Scheme.WEIGHTED
    term: Code | None = None
    scale: Id | None = None
    teachers: Annotated[tuple[Username, ...], Meta(max_length=FEW)] = ()
    categories: Annotated[tuple[CategoryDraft, ...], Meta(max_length=FEW)] = ()

    def __post_init__(self) -> None:
        titles = [category.title for category in self.categories]
        if len(set(titles)) < len(titles):
            raise MemberError("categories", "Two of them have the same title: give each its own.")


@dataclass(frozen=True, kw_only=True)
class CoursePatch:
    title: Line | UnsetType = UNSET
    scheme: Scheme | UnsetType = UNSET
    term: Code | UnsetType | None = UNSET
    scale: Id | UnsetType | None = UNSET


@dataclass(frozen=True, kw_only=True)
class SectionDraft:
    title: Line


@dataclass(frozen=True, kw_only=True)
class StudentDraft:
    name: Line
    username: Username
    sis_id: SisId | None = None
    section: Id | None = None


@dataclass(frozen=True, kw_only=True)
class EnrollmentDraft:
    """A teacher or an assistant by `username`, a student by `student`, an observer by both."""

    role: Role
    username: Username | None = None
    student: Id | None = None
    section: Id | None = None
    state: State = State.ACTIVE

    def __post_init__(self) -> None:
        is_staff = self.role in {Role.TEACHER, Role.ASSISTANT}
        if (self.username is None) != (self.role == Role.STUDENT):
            raise MemberError("username", "A student is named by `student` alone; every other role needs a `username`.")
        if (self.student is None) != is_staff:
            raise MemberError(
                "student", "Students and observers need the id of a `student`; teachers and assistants have none."
            )


@dataclass(frozen=True, kw_only=True)
class EnrollmentPatch:
    state: State | UnsetType = UNSET
    section: Id | UnsetType | None = UNSET


@dataclass(frozen=True, kw_only=True)
class AssignmentDraft:
    """`category` is the id of one of the course's; `kind` is by default the category's; without a `position` it comes
    last."""

    title: Line
    category: Id
    points: Decimal
    kind: Kind | None = None
    due_on: date | None = None
    published: bool = True
    posted: bool = True
    extra_credit: bool = False
    omit_from_final: bool = False
    never_drop: bool = False
    position: Small | None = None

    def __post_init__(self) -> None:
        _check_amount("points", self.points)


@dataclass(frozen=True, kw_only=True)
class AssignmentPatch:
    title: Line | UnsetType = UNSET
    category: Id | UnsetType = UNSET
    points: Decimal | UnsetType = UNSET
    kind: Kind | UnsetType = UNSET
    due_on: date | UnsetType | None = UNSET
    published: bool | UnsetType = UNSET
    posted: bool | UnsetType = UNSET
    extra_credit: bool | UnsetType = UNSET
    omit_from_final: bool | UnsetType = UNSET
    never_drop: bool | UnsetType = UNSET
    position: Small | UnsetType = UNSET

    def __post_init__(self) -> None:
        _check_amount("points", self.points)


@dataclass(frozen=True, kw_only=True)
class GradePatch:
    """Members that are to change. A `score` of None is a blank: nothing was graded.

    `excused` is short for the status `excused`, or `none`. `confirmed` lets a score of more than ten times the points
    pass; `within_points` refuses every score above the points.
    """

    score: Decimal | UnsetType | None = UNSET
    status: Status | UnsetType = UNSET
    excused: bool | UnsetType = UNSET
    late_deduction: Decimal | UnsetType = UNSET
    comment: Comment | UnsetType = UNSET
    confirmed: bool = False
    within_points: bool = False

    def __post_init__(self) -> None:
        _check_grade(self)


@dataclass(frozen=True, kw_only=True)
class GradeDraft:
    """A whole grade: a comment that is left out is blank, and the grade is not excused.

    Without a status, one that was handed in late stays late, with its deduction, whoever corrects the score.
    """

    score: Decimal | None
    status: Status | UnsetType = UNSET
    excused: bool | UnsetType = UNSET
    late_deduction: Decimal | UnsetType = UNSET
    comment: Comment = ""
    confirmed: bool = False
    within_points: bool = False

    def __post_init__(self) -> None:
        _check_grade(self)


@dataclass(frozen=True, kw_only=True)
class BulkGrade(GradePatch):
    student: Id
    assignment: Id
    version: Version | None = None


@dataclass(frozen=True, kw_only=True)
class BulkDraft:
    grades: tuple[BulkGrade, ...]
    confirmed: bool = False


@dataclass(frozen=True, kw_only=True)
class Supposition:
    assignment: Id
    score: Decimal | None

    def __post_init__(self) -> None:
        _check_amount("score", self.score)


@dataclass(frozen=True, kw_only=True)
class WhatIfDraft:
    """`course` is the code of one, where the student is in several."""

    scores: Annotated[tuple[Supposition, ...], Meta(max_length=MANY)]
    course: Code | None = None


@dataclass(frozen=True, kw_only=True)
class ColumnDraft:
    """The meaning that somebody gives a column of a file, counted from 0."""

    index: Annotated[int, Meta(ge=0, le=10_000)]
    meaning: Annotated[str, Meta(max_length=20)]
    assignment: Id | None = None
    category: Id | None = None
    points: Decimal | None = None

    def __post_init__(self) -> None:
        _check_amount("points", self.points)

    def body(self) -> dict[str, Any]:
        points = None if self.points is None else f"{self.points:f}"
        return {"meaning": self.meaning, "assignment": self.assignment, "category": self.category, "points": points}


@dataclass(frozen=True, kw_only=True)
class MappingDraft:
    columns: Annotated[tuple[ColumnDraft, ...], Meta(max_length=MANY)] = ()
    separator: Annotated[str, Meta(min_length=1, max_length=1)] | None = None
    blanks: Literal["keep", "clear"] | None = None


@dataclass(frozen=True, kw_only=True)
class ConfirmationDraft:
    skip_faults: bool = False
    confirmed: bool = False


def read_amount(text: str) -> Decimal:
    """An amount that came as text. Raises ValueError with the rule."""
    if not PLAIN_AMOUNT.fullmatch(text) or Decimal(text) > AMOUNT_LIMIT:
        raise ValueError(AMOUNT_RULE)
    return Decimal(text)


def _check_grade(grade: GradePatch | GradeDraft) -> None:
    _check_amount("score", grade.score)
    _check_amount("late_deduction", grade.late_deduction)
    has_both = isinstance(grade.excused, bool) and isinstance(grade.status, Status)
    if has_both and grade.excused != (grade.status == Status.EXCUSED):
        raise MemberError("excused", "It contradicts the status: leave it out.")


def _check_amount(member: str, value: Any, *, limit: Decimal = AMOUNT_LIMIT) -> None:
    """Refuse an amount that would have to be rounded to be stored."""
    if not isinstance(value, Decimal):
        return
    if not value.is_finite() or not 0 <= value <= limit:
        raise MemberError(member, f"Expected a number from 0 to {limit}.")
    if value.quantize(CENT) != value:
        raise MemberError(member, "Expected at most two decimals.")
