"""Columns of a file of grades: guessed from their headers, or as somebody says."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grading.models import Assignment

# Headers that name a student, by what they hold; compared without case and punctuation.
_IDENTITIES = {
    "id": ("id", "canvas user id", "rollcall id"),
    "sis_id": ("sis user id", "sis id", "student id", "student number", "matriculation number", "user id"),
    "username": ("sis login id", "login id", "login", "username", "user name", "account"),
    "name": ("student", "name", "student name", "full name", "display name"),
    "first_name": ("firstname", "first name", "given name"),
    "last_name": ("lastname", "last name", "surname", "family name"),
    "section": ("section", "sections"),
}
_MEANINGS = {header: meaning for meaning, headers in _IDENTITIES.items() for header in headers}
# Headers of columns that hold no grades.
_IGNORED = frozenset(
    {"notes", "integration id", "root account", "e mail", "email", "email address", "comments", "group", "role"}
)
_READ_ONLY = re.compile(
    r"(.* )?(unposted )?(current|final) (score|points|grade)|(.* )?override (score|grade|status)( .*)?|total( .*)?"
)
_ID = re.compile(r"[0-9]{1,18}")

IDENTITIES = tuple(_IDENTITIES)


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column and its meaning: one of IDENTITIES, `assignment`, `new` or `ignored`; `why` says how that was found."""

    index: int
    header: str
    meaning: str
    why: str
    assignment_id: int | None = None
    # The category of an assignment to be made, and its points, where the file does not say.
    category_id: int | None = None
    points: str | None = None

    def body(self) -> dict[str, Any]:
        return {
            "index": self.index,
            "header": self.header,
            "meaning": self.meaning,
            "why": self.why,
            "assignment": self.assignment_id,
            **({"category": self.category_id, "points": self.points} if self.meaning == "new" else {}),
        }


def guess(header: Sequence[str], assignments: Mapping[int, Assignment], *, trusts_ids: bool) -> list[Column]:
    """Assignments are found by the id in parentheses where the file's ids are ours, else by their exact title."""
    read_only = {_plain(title) for title in header if _READ_ONLY.fullmatch(_plain(title))}
    return [
        _guess(index, title, assignments, read_only=read_only, trusts_ids=trusts_ids)
        for index, title in enumerate(header)
    ]


def title_of(header: str) -> str:
    """A header without the id in parentheses."""
    return _split(header)[0]


def _guess(
    index: int, header: str, assignments: Mapping[int, Assignment], *, read_only: Iterable[str], trusts_ids: bool
) -> Column:
    def column(meaning: str, why: str, assignment_id: int | None = None) -> Column:
        return Column(index=index, header=header, meaning=meaning, why=why, assignment_id=assignment_id)

    title, id_ = _split(header)
    named = assignments.get(id_) if id_ is not None else None
    if named is not None and (trusts_ids or named.title == title):
        return column("assignment", "by the id in parentheses", named.pk)
    alike = [each for each in assignments.values() if each.title in {header, title}]
    if len(alike) == 1:
        return column("assignment", "by its title", alike[0].pk)
    if len(alike) > 1:
        return column("ignored", "several assignments have this title: choose one")
    plain = _plain(header)
    if not plain:
        return column("ignored", "it has no header")
    if plain in _MEANINGS:
        return column(_MEANINGS[plain], "by its header")
    if plain in read_only:
        return column("ignored", "a total, which is only calculated")
    if plain in _IGNORED:
        return column("ignored", "it holds no grades")
    return column("ignored", "no assignment of the course has this title: choose one, or make it")


def _split(header: str) -> tuple[str, int | None]:
    """`Pendulum (9)` as its title and its id; the last parentheses count."""
    title, _, id_ = header.removesuffix(")").rpartition("(")
    if header.endswith(")") and _ID.fullmatch(id_):
        return title.rstrip(), int(id_)
    return header, None


def _plain(header: str) -> str:
    return " ".join(re.sub(r"[\W_]+", " ", header).split()).casefold()
