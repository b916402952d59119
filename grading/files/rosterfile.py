"""Files of people: who would be made, enrolled or changed."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from config.problems import Invalid
from grading.drafts import RULES
from grading.files.columns import Column
from grading.files.people import plain_name, refuse_doubled
from grading.files.tables import Row, Table
from grading.models import Enrollment, Role, Section, State, Student

_HEADERS = {
    "name": ("name", "student", "student name", "full name", "display name"),
    "first_name": ("first name", "firstname", "given name"),
    "last_name": ("last name", "lastname", "surname", "family name"),
    "username": ("username", "user name", "login", "login id", "sis login id", "account"),
    "sis_id": ("sis id", "sis user id", "student id", "student number", "user id", "matriculation number"),
    "section": ("section", "group"),
    "role": ("role",),
    "state": ("state", "status"),
}
MEANINGS = tuple(_HEADERS)
_MEANINGS = {header: meaning for meaning, headers in _HEADERS.items() for header in headers}
_CODE, _LINE, _USERNAME, _SIS_ID, _TEXT = (re.compile(pattern) for pattern in RULES)
# Roles that a file may give; an observer needs a student, whom a row of a roster does not name.
_ROLES = (Role.STUDENT, Role.TEACHER, Role.ASSISTANT)


def guess(header: Sequence[str]) -> list[Column]:
    """Columns by their headers; the first of several that mean the same counts."""
    found: dict[str, Column] = {}
    columns = []
    for index, title in enumerate(header):
        meaning = _MEANINGS.get(" ".join(re.sub(r"[\W_]+", " ", title).split()).casefold(), "ignored")
        why = "by its header" if meaning != "ignored" else "its header says nothing of people"
        if meaning in found:
            meaning, why = "ignored", f"column {found[meaning].index + 1} holds the {meaning} already"
        column = Column(index=index, header=title, meaning=meaning, why=why)
        columns.append(column)
        if meaning != "ignored":
            found[meaning] = column
    return columns


def places(columns: Iterable[Column]) -> dict[str, int]:
    """The column of each meaning. Raises Invalid where two columns are given the same."""
    found: dict[str, int] = {}
    for column in columns:
        if column.meaning in found:
            first = found[column.meaning] + 1
            raise Invalid(
                f"The columns {first} and {column.index + 1} both hold the {column.meaning}: ignore one of them."
            )
        if column.meaning != "ignored":
            found[column.meaning] = column.index
    return found


def preview(
    table: Table,
    columns: Sequence[Column],
    *,
    known: Mapping[str, Student],
    sis_ids: Mapping[str, Student],
    enrolled: Mapping[tuple[str, str], Enrollment],
    sections: Mapping[str, Section],
) -> dict[str, Any]:
    """Say what each row would do: `create` (a student, and enrol them), `enrol`, `change` or nothing.

    `known` and `sis_ids` are students anywhere, `enrolled` the course's enrollments by role and username. Raises
    Invalid for a person named twice, naming the rows.
    """
    at = places(columns)
    if "username" not in at:
        missing = {"line": 1, "text": "", "detail": "No column holds a login: say which one is the `username`."}
        return {"people": [], "faults": [missing], "same": 0, "new_sections": []}
    people: list[dict[str, Any]] = []
    faults: list[dict[str, Any]] = []
    lines: dict[str, list[int]] = {}
    own_sis_ids: dict[str, str] = {}
    same = 0
    for row in table.rows:
        words = _words(row, at)
        fault = table.surplus(row) or _fault(words, known, sis_ids, own_sis_ids)
        if fault:
            faults.append({"line": row.line, "text": words["username"] or words["name"], "detail": fault})
            continue
        username = words["username"]
        lines.setdefault(username, []).append(row.line)
        own_sis_ids[words["sis_id"]] = username
        enrollment = enrolled.get((words["role"], username))
        if not words["state"]:
            # Everybody on the list is in the course: those who had left it are active again, others stay as they are.
            words["state"] = State.ACTIVE
            if enrollment is not None and enrollment.state != State.DROPPED:
                words["state"] = enrollment.state
        action = _action(words, known, enrollment, sections)
        if action == "same":
            same += 1
        else:
            before = None if enrollment is None else place(enrollment)
            people.append({"line": row.line, "action": action, **words, "before": before})
    refuse_doubled("person", lines.items())
    new_sections = sorted({each["section"] for each in people if each["section"]} - set(sections))
    return {"people": people, "faults": faults, "same": same, "new_sections": new_sections}


def _words(row: Row, at: Mapping[str, int]) -> dict[str, str]:
    words = {meaning: row.cell(at.get(meaning)) for meaning in _HEADERS}
    first, last = words.pop("first_name"), words.pop("last_name")
    words["name"] = plain_name(words["name"]) or f"{first} {last}".strip() or words["username"]
    words["role"] = words["role"].casefold() or Role.STUDENT
    words["state"] = words["state"].casefold()
    return words


def place(enrollment: Enrollment) -> dict[str, Any]:
    """The part of an enrollment that a roster may change."""
    return {"state": enrollment.state, "section": enrollment.section_id}


def _fault(
    words: Mapping[str, str],
    known: Mapping[str, Student],
    sis_ids: Mapping[str, Student],
    own_sis_ids: Mapping[str, str],
) -> str | None:
    """The reason why a row cannot be stored."""
    username, sis_id = words["username"], words["sis_id"]
    if not _USERNAME.search(username):
        return "The login is missing or not valid: " + RULES[_USERNAME.pattern]
    if len(words["name"]) > 200 or not _LINE.search(words["name"]):
        return "The name is not valid: " + RULES[_LINE.pattern]
    if words["section"] and (len(words["section"]) > 200 or not _LINE.search(words["section"])):
        return "The section is not valid: " + RULES[_LINE.pattern]
    if words["role"] not in _ROLES:
        return f"{words['role'][:40]!r} is none of {', '.join(_ROLES)}."
    if words["state"] and words["state"] not in State.values:
        return f"{words['state'][:40]!r} is none of {', '.join(State.values)}."
    if not sis_id:
        return None
    if not _SIS_ID.search(sis_id):
        return "The SIS id is not valid: " + RULES[_SIS_ID.pattern]
    other = sis_ids.get(sis_id)
    if own_sis_ids.get(sis_id, username) != username or (other is not None and other.username != username):
        return f"The SIS id {sis_id!r} is another student's."
    student = known.get(username)
    if student is not None and student.sis_id not in {None, sis_id}:
        return f"{username} has the SIS id {student.sis_id!r}: correct the row."
    return None


def _action(
    words: Mapping[str, str],
    known: Mapping[str, Student],
    enrollment: Enrollment | None,
    sections: Mapping[str, Section],
) -> str:
    if enrollment is None:
        is_new = words["role"] == Role.STUDENT and words["username"] not in known
        return "create" if is_new else "enrol"
    section = sections.get(words["section"])
    moves = bool(words["section"]) and (section is None or section.pk != enrollment.section_id)
    return "change" if moves or enrollment.state != words["state"] else "same"
