"""Students of a course, found by what a row of a file says of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from config.problems import Invalid
from grading.files.columns import Column
from grading.files.tables import Row
from grading.models import Student


class Mismatch(Exception):
    """The reason why no student is found; `is_unknown` where the row names one who is not in the course."""

    def __init__(self, detail: str, *, is_unknown: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.is_unknown = is_unknown


@dataclass(frozen=True, kw_only=True)
class Named:
    """A row's own words for its student."""

    id: str
    sis_id: str
    username: str
    name: str

    def __bool__(self) -> bool:
        return bool(self.id or self.sis_id or self.username or self.name)

    def __str__(self) -> str:
        return self.name or self.username or self.sis_id or self.id


def refuse_doubled(kind: str, lines: Iterable[tuple[str, Sequence[int]]]) -> None:
    """Raises Invalid for each who is named by several lines; `kind` says whether they are students or people."""
    errors = [
        {
            "pointer": f"/rows/{found[-1]}",
            "detail": f"The rows {', '.join(map(str, found))} are the same {kind}, {name}.",
        }
        for name, found in lines
        if len(found) > 1
    ]
    if errors:
        raise Invalid(f"A {kind} is named by several rows, see `errors`: leave one of each.", errors=errors)


def named(row: Row, columns: Iterable[Column]) -> Named:
    at = {column.meaning: column.index for column in columns}
    name = row.cell(at.get("name"))
    if not name:
        name = f"{row.cell(at.get('first_name'))} {row.cell(at.get('last_name'))}".strip()
    return Named(
        id=row.cell(at.get("id")),
        sis_id=row.cell(at.get("sis_id")),
        username=row.cell(at.get("username")),
        name=name,
    )


class Roll:
    """The students of a course by all that they are known by."""

    def __init__(self, students: Iterable[Student]) -> None:
        self._by_id: dict[str, Student] = {}
        self._by_sis_id: dict[str, Student] = {}
        self._by_username: dict[str, Student] = {}
        self._by_folded_username: Mapping[str, list[Student]] = defaultdict(list)
        self._by_name: Mapping[str, list[Student]] = defaultdict(list)
        for student in students:
            self._by_id[str(student.pk)] = student
            self._by_username[student.username] = student
            self._by_folded_username[student.username.casefold()].append(student)
            self._by_name[_key(student.name)].append(student)
            if student.sis_id:
                self._by_sis_id[student.sis_id] = student

    def name(self, student_id: int) -> str:
        return self._by_id[str(student_id)].name

    def is_ours(self, rows: Iterable[Named]) -> bool:
        """Whether the file's ids are this service's own: some row's id and its other names say the same student, and
        no row's contradict each other."""
        agreeing = [self._agrees(row) for row in rows if row.id in self._by_id]
        return bool(agreeing) and all(agreeing)

    def find(self, row: Named, *, trusts_ids: bool) -> Student:
        """Find a student by the id where the file's are ours, then by SIS id, login and name. Raises Mismatch."""
        has_only_id = not (row.sis_id or row.username or row.name)
        if row.id in self._by_id and (trusts_ids or has_only_id):
            return self._by_id[row.id]
        by_sis_id, by_username = self._by_sis_id.get(row.sis_id), self._find_username(row.username)
        if by_sis_id and by_username and by_sis_id != by_username:
            raise Mismatch(
                f"The SIS id {row.sis_id!r} is {by_sis_id.name}'s and the login {row.username!r} is "
                f"{by_username.name}'s: correct one of them."
            )
        if found := by_sis_id or by_username:
            return found
        alike = self._by_name[_key(row.name)] if row.name else []
        if len(alike) > 1:
            raise Mismatch(f"Several students are called {row.name!r}: name them by SIS id or login.")
        # A different SIS id belongs to somebody else, whatever the name.
        if alike and not (row.sis_id and alike[0].sis_id and row.sis_id != alike[0].sis_id):
            return alike[0]
        raise Mismatch(f"No student of the course is {str(row)!r}: enrol them first.", is_unknown=True)

    def _find_username(self, username: str) -> Student | None:
        """Find a login as it is written, else in other letters; of several who differ by those alone, guess none."""
        if username in self._by_username:
            return self._by_username[username]
        alike = self._by_folded_username.get(username.casefold(), [])
        if len(alike) > 1:
            raise Mismatch(f"Several students have the login {username!r} in other letters: write it as theirs.")
        return alike[0] if alike else None

    def _agrees(self, row: Named) -> bool:
        student = self._by_id[row.id]
        if row.username:
            return student.username.casefold() == row.username.casefold()
        if row.sis_id:
            return student.sis_id == row.sis_id
        return not row.name or _key(student.name) == _key(row.name)


def plain_name(name: str) -> str:
    """`Lovelace, Ada` as `Ada Lovelace`."""
    last, comma, first = name.partition(",")
    return f"{first.strip()} {last.strip()}" if comma and first.strip() else name


def sorted_name(name: str) -> str:
    """`Ada Lovelace` as `Lovelace, Ada`: what follows the last blank goes first."""
    first, _, last = name.rpartition(" ")
    return f"{last}, {first}" if first else name


def _key(name: str) -> str:
    """Names are compared by their words in any order, so that `Lovelace, Ada` is found as `Ada Lovelace`."""
    return " ".join(sorted(name.replace(",", " ").casefold().split()))
