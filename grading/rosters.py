"""Rosters: whom a file of people would enrol or change, storing that, and taking it back.

What was stored is compared twice: a row that somebody else changed since the preview is refused, and so is undoing one
that somebody changed since it was stored.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import Q

from config.problems import Conflict, Invalid
from grading import rows, totals
from grading.files import rosterfile, tables
from grading.files.rosterfile import place
from grading.models import Course, Enrollment, ImportBatch, Role, Section, State, Student

_STAFF = {Role.TEACHER, Role.ASSISTANT}

Key = tuple[str, str]


def read(*, course: Course, table: tables.Table, mapping: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The preview of a file of people; `mapping` holds what somebody said of columns, by index. Raises Invalid."""
    columns = rosterfile.guess(table.header)
    for key, said in mapping.items():
        if int(key) >= len(columns):
            raise _invalid(f"/columns/{key}", f"The file has {len(columns)} columns, counted from 0.")
        if said["meaning"] not in ("ignored", *rosterfile.MEANINGS):
            names = ", ".join(("ignored", *rosterfile.MEANINGS))
            raise _invalid(f"/columns/{key}/meaning", f"{said['meaning']!r} is none of {names}.")
        columns[int(key)] = replace(columns[int(key)], meaning=said["meaning"], why="as you said")
    at = rosterfile.places(columns)
    usernames = {row.cell(at.get("username")) for row in table.rows}
    sis_ids = {row.cell(at.get("sis_id")) for row in table.rows} - {""}
    students = Student.objects.filter(Q(username__in=usernames) | Q(sis_id__in=sis_ids))
    shown = rosterfile.preview(
        table,
        columns,
        known={student.username: student for student in students},
        sis_ids={student.sis_id: student for student in students if student.sis_id},
        enrolled=_by_person(course.enrollments.exclude(role=Role.OBSERVER).select_related("student")),
        sections={section.title: section for section in course.sections.all()},
    )
    return {"columns": [column.body() for column in columns], **shown}


def store(*, batch: ImportBatch, now: datetime) -> dict[str, Any]:
    """Store what the preview showed, inside the caller's transaction, with a constant number of statements.

    The outcome holds the enrollments that were made, how those were that were changed, and how all of them are now.
    """
    course, people = batch.course, batch.preview["people"]
    titles = {row["section"]: None for row in people if row["section"]}
    Section.objects.bulk_create((Section(course=course, title=title) for title in titles), ignore_conflicts=True)
    sections = {section.title: section for section in course.sections.all()}
    # Held until commit, in the order in which all writers do.
    held = course.enrollments.select_for_update(of=("self",)).exclude(role=Role.OBSERVER).order_by("pk")
    enrolled = _by_person(held.select_related("student"))
    refused = []
    accepted = []
    for row in people:
        detail = _fault(row, enrolled)
        if detail is None:
            accepted.append(row)
        else:
            refused.append({"line": row["line"], "detail": detail})
    # Students belong to no one course: a teacher adds nothing to those of others, a registrar's command does.
    students, others = _find_or_create_students(accepted, completes=":" in batch.author)
    refused += others
    made, changed, before = [], [], []
    for row in accepted:
        is_student = row["role"] == Role.STUDENT
        if is_student and row["username"] not in students:
            continue
        section = sections.get(row["section"])
        enrollment = enrolled.get((row["role"], row["username"]))
        if enrollment is None:
            made.append(
                Enrollment(
                    course=course,
                    role=row["role"],
                    state=row["state"],
                    username="" if is_student else row["username"],
                    student=students[row["username"]] if is_student else None,
                    section=section,
                    enrolled_at=now,
                )
            )
            continue
        before.append({"enrollment": enrollment.pk, "state": enrollment.state, "section": enrollment.section_id})
        enrollment.state, enrollment.section = row["state"], section or enrollment.section
        changed.append(enrollment)
    Enrollment.objects.bulk_create(made)
    rows.update(changed, ["state", "section"])
    totals.refresh(course=course)
    return {
        "stored": len(made) + len(changed),
        "made": [each.pk for each in made],
        "changed": before,
        "after": {str(each.pk): place(each) for each in (*made, *changed)},
        "refused": sorted(refused, key=lambda each: int(each["line"])),
    }


def undo(*, batch: ImportBatch) -> list[dict[str, Any]]:
    """Drop the people that were enrolled and put back those that were changed; returns those whom somebody changed
    since, who stay.

    Students who were made stay, in no course.
    """
    outcome, course = batch.outcome, batch.course
    wanted: dict[int, dict[str, Any]] = {pk: {"state": State.DROPPED} for pk in outcome["made"]}
    wanted |= {each["enrollment"]: {"state": each["state"], "section": each["section"]} for each in outcome["changed"]}
    sections = {None, *course.sections.values_list("pk", flat=True)}
    held = course.enrollments.select_for_update(of=("self",)).filter(pk__in=wanted).order_by("pk")
    changed, refused = [], []
    for enrollment in held.select_related("student"):
        before = wanted[enrollment.pk]
        if place(enrollment) != outcome.get("after", {}).get(str(enrollment.pk), place(enrollment)):
            refused.append({"enrollment": enrollment.pk, "detail": f"{enrollment} was changed since."})
        elif before.get("section") not in sections:
            refused.append({"enrollment": enrollment.pk, "detail": f"The section that {enrollment} was in is gone."})
        else:
            enrollment.state = before["state"]
            enrollment.section_id = before.get("section", enrollment.section_id)
            changed.append(enrollment)
    if wanted and not changed:
        raise Conflict(f"Everybody in batch {batch.pk} was changed since: change them one by one.")
    rows.update(changed, ["state", "section"])
    return refused


def _by_person(enrollments: Iterable[Enrollment]) -> dict[Key, Enrollment]:
    return {(each.role, each.student.username if each.student else each.username): each for each in enrollments}


def _fault(row: Mapping[str, Any], enrolled: Mapping[Key, Enrollment]) -> str | None:
    """The reason why a row of the preview cannot be stored any more."""
    username, enrollment = row["username"], enrolled.get((row["role"], row["username"]))
    if (None if enrollment is None else place(enrollment)) != row.get("before"):
        return f"{username!r} was enrolled or changed by somebody else since the preview: look at the file again."
    if row["role"] in _STAFF:
        others = (role for role in _STAFF - {row["role"]} if (role, username) in enrolled)
        if (other := next(others, None)) is not None:
            return f"{username!r} is a {other} of the course already: delete that enrollment first."
    return None


def _find_or_create_students(
    people: Sequence[Mapping[str, Any]], *, completes: bool
) -> tuple[dict[str, Student], list[dict[str, Any]]]:
    """The students whom rows name, by username, made where there are none; and the rows of those who cannot be.

    One who is known keeps what they have; `completes` adds an SIS id where there is none.
    """
    wanted = {row["username"]: row for row in people if row["role"] == Role.STUDENT}
    found = {each.username: each for each in Student.objects.filter(username__in=wanted)}
    ids = [row["sis_id"] for row in wanted.values() if row["sis_id"]]
    holders = dict(Student.objects.filter(sis_id__in=ids).values_list("sis_id", "username"))
    new, completed, refused = [], [], []
    for username, row in wanted.items():
        student, sis_id = found.get(username), row["sis_id"] or None
        is_given = sis_id is not None and (student is None or (completes and student.sis_id is None))
        if is_given and holders.get(sis_id, username) != username:
            detail = f"Another student has the SIS id {sis_id!r}: correct it."
            refused.append({"line": row["line"], "detail": detail})
            found.pop(username, None)
        elif student is None:
            new.append(Student(name=row["name"], username=username, sis_id=sis_id))
        elif is_given:
            student.sis_id = sis_id
            completed.append(student)
    Student.objects.bulk_create(new)
    rows.update(completed, ["sis_id"])
    return found | {each.username: each for each in new}, refused


def _invalid(pointer: str, detail: str) -> Invalid:
    return Invalid("See `errors` for each member.", errors=[{"pointer": pointer, "detail": detail}])
