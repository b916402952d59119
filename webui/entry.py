"""A grade as it is typed: `9.5`, `9,5`, `8 L` (late), `EX`, `M`, `I`, or nothing at all."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from webui.upstream.grading_answers import Grade, Status

# The form in which each status is typed and shown; the words are understood, too.
MARKS = {Status.EXCUSED: "EX", Status.MISSING: "M", Status.LATE: "L", Status.INCOMPLETE: "I"}
_WORDS = {word: status for status, mark in MARKS.items() for word in (mark.lower(), status.value)} | {
    "mi": Status.MISSING,
    "la": Status.LATE,
    "inc": Status.INCOMPLETE,
}
_TYPED = re.compile(r"(?P<score>[^a-z]*?)\s*(?P<word>[a-z]*)", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The state in which the person saw the cell: the grade's version, and whether it was late (`3` or `3L`)."""

    version: int
    is_late: bool = False


@dataclass(frozen=True, kw_only=True)
class Entry:
    score: str | None
    status: Status


def read_seen(token: str) -> Seen:
    """Read what was seen; an invalid token counts as a grade that was never stored."""
    found = re.fullmatch(r"([0-9]{1,9})(L?)", token)
    return Seen(version=int(found[1]), is_late=bool(found[2])) if found else Seen(version=0)


def write_seen(grade: Grade) -> str:
    return f"{grade.version}{'L' if grade.status is Status.LATE else ''}"


def parse(typed: str, *, was_late: bool = False) -> Entry:
    """Parse what was typed; a blank is no score, never a zero. A number alone keeps work late. Anything that is neither
    a number nor a known word stays as the score, for grading to refuse with its reason.

    What is neither a number nor a known word stays as the score, for grading to refuse with its reason.
    """
    text = typed.strip()
    found = _TYPED.fullmatch(text.lower())
    status = _WORDS.get(found["word"]) if found else None
    if found and status:
        return Entry(score=_number(found["score"]), status=status)
    is_still_late = was_late and bool(text)
    return Entry(score=_number(text), status=Status.LATE if is_still_late else Status.NONE)


def is_above(score: str | None, points: str) -> bool:
    """Whether the score exceeds the points; a text that is no number does not."""
    try:
        return score is not None and Decimal(score) > Decimal(points)
    except InvalidOperation:
        return False


def write(grade: Grade) -> str:
    """The grade as one would type it."""
    return " ".join(filter(None, (grade.score, MARKS.get(grade.status))))


def _number(text: str) -> str | None:
    return text.replace(",", ".", 1) or None
