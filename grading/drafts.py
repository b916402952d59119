"""What callers hand in to be kept, with the limits of each member; a ValueError says which is outside them."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from grading.models import Kind, Scheme

AMOUNT_LIMIT = Decimal("9999999.99")
CENT = Decimal("0.01")

# What a pattern wants, in words.
RULES = {
    r"^[a-z0-9][a-z0-9-]{0,62}\Z": "Expected lower-case letters, digits and '-', at most 63, no '-' first.",
    r"\S": "Expected a text that is not blank.",
    r"^[\w.@+-]{1,150}\Z": "Expected letters, digits and _ . @ + - alone, at most 150.",
}
_CODE, _NOT_BLANK, _USERNAME = RULES

Code = Annotated[str, Meta(pattern=_CODE)]
Line = Annotated[str, Meta(min_length=1, max_length=200, pattern=_NOT_BLANK)]
Username = Annotated[str, Meta(pattern=_USERNAME)]
Small = Annotated[int, Meta(ge=0, le=32767)]


class MemberError(ValueError):
    """What is wrong with one member, where its type alone cannot say so."""

    def __init__(self, member: str, detail: str) -> None:
        super().__init__(f"`{member}`: {detail}")
        self.member = member
        self.detail = detail


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
class CourseDraft:
    code: Code
    title: Line
    scheme: Scheme = Scheme.WEIGHTED
    teachers: tuple[Username, ...] = ()
    categories: tuple[CategoryDraft, ...] = ()

    def __post_init__(self) -> None:
        titles = [category.title for category in self.categories]
        if len(set(titles)) < len(titles):
            raise MemberError("categories", "Two of them have the same title: give each its own.")


@dataclass(frozen=True, kw_only=True)
class StudentDraft:
    name: Line
    username: Username


@dataclass(frozen=True, kw_only=True)
class AssignmentDraft:
    """`category` is the id of one of the course's; without a `position` it comes last."""

    title: Line
    category: int
    points: Decimal
    due_on: date | None = None
    published: bool = True
    extra_credit: bool = False
    omit_from_final: bool = False
    never_drop: bool = False
    position: Small | None = None

    def __post_init__(self) -> None:
        _check_amount("points", self.points)


@dataclass(frozen=True, kw_only=True)
class GradeDraft:
    """A `score` of None is a blank: nothing was graded."""

    score: Decimal | None
    excused: bool = False
    comment: Annotated[str, Meta(max_length=2000)] = ""

    def __post_init__(self) -> None:
        if self.score is not None:
            _check_amount("score", self.score)


def _check_amount(member: str, value: Decimal) -> None:
    """What is kept is what was sent: an amount that would have to be rounded is refused."""
    if not value.is_finite() or not 0 <= value <= AMOUNT_LIMIT:
        raise MemberError(member, f"Expected a number from 0 to {AMOUNT_LIMIT}.")
    if value.quantize(CENT) != value:
        raise MemberError(member, "Expected at most two decimals.")
