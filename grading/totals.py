"""Stored totals: each student's percentages, kept with the enrollment and proven by `differences`."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from grading import rows, scoring
from grading.models import Course, Enrollment, Role, Student
from grading.standings import Standing, read_grades, read_plan

FIELDS = ("current_percent", "final_percent", "unposted_current_percent", "unposted_final_percent")


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Totals of one student that are stored other than they are computed."""

    student_id: int
    stored: dict[str, str | None]
    computed: dict[str, str | None]


def lock(*, course: Course, student_ids: Collection[int] | None = None) -> dict[int, Enrollment]:
    """Lock the enrollments of all students, or of those named, until commit, in the order in which all writers do.

    Returns them by student, also those who dropped the course.
    """
    return _read(course, student_ids, locks=True)


def refresh(*, course: Course, student_ids: Collection[int] | None = None) -> list[Difference]:
    """Compute and store the totals of the course's students, or of those named; returns the differences that this
    mended.

    The caller holds the enrollments locked, so that what is read here is what will be committed.
    """
    enrollments = _read(course, student_ids)
    return store(enrollments=enrollments, standings=_compute(course, enrollments, student_ids))


def store(*, enrollments: Mapping[int, Enrollment], standings: Mapping[int, Standing]) -> list[Difference]:
    """Store the totals of these standings, by student, where they are others than the enrollments hold."""
    found = _compare(enrollments, standings)
    changed = []
    for difference in found:
        enrollment = enrollments[difference.student_id]
        for name, value in difference.computed.items():
            setattr(enrollment, name, value)
        changed.append(enrollment)
    rows.update(changed, FIELDS)
    return found


def differences(*, course: Course, student_ids: Collection[int] | None = None) -> list[Difference]:
    enrollments = _read(course, student_ids)
    return _compare(enrollments, _compute(course, enrollments, student_ids))


def _read(course: Course, student_ids: Collection[int] | None, *, locks: bool = False) -> dict[int, Enrollment]:
    values: dict[str, Collection[int | str]] = {"course_id": [course.pk], "role": [Role.STUDENT]}
    if student_ids is not None:
        values["student_id"] = student_ids
    found = {each.student_id: each for each in rows.select(Enrollment, values, locks=locks) if each.student_id}
    for student in rows.select(Student, {"id": list(found)}):
        found[student.pk].student = student
    return found


def _compute(
    course: Course, enrollments: Mapping[int, Enrollment], student_ids: Collection[int] | None
) -> dict[int, Standing]:
    plan = read_plan(course=course, with_unpublished=True)
    grades = read_grades(plan=plan, student_ids=student_ids)
    return {
        student_id: Standing(plan=plan, student=each.student, grades=grades[student_id])
        for student_id, each in enrollments.items()
        if each.student is not None
    }


def _compare(enrollments: Mapping[int, Enrollment], standings: Mapping[int, Standing]) -> list[Difference]:
    found = []
    for student_id, enrollment in enrollments.items():
        stored = {name: getattr(enrollment, name) for name in FIELDS}
        computed = percents(standings[student_id])
        if computed != stored:
            found.append(Difference(student_id=student_id, stored=stored, computed=computed))
    return found


def percents(standing: Standing) -> dict[str, str | None]:
    """The totals as they are stored."""
    totals = (standing.current, standing.final, standing.unposted_current, standing.unposted_final)
    return dict(zip(FIELDS, map(text, totals), strict=True))


def text(total: scoring.Total) -> str | None:
    percent = total.percent
    return None if percent is None else f"{percent:f}"
