"""Stored totals: each student's percentages, kept with the enrollment and proven by `differences`."""

from collections.abc import Collection
from dataclasses import dataclass

from grading import scoring, standings
from grading.models import Course, Enrollment, Role, Student
from grading.standings import Standing

FIELDS = ("current_percent", "final_percent", "unposted_current_percent", "unposted_final_percent")
# A statement's worth of rows.
_ROWS = 500


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Totals of one student that are stored other than they are computed."""

    student_id: int
    stored: dict[str, str | None]
    computed: dict[str, str | None]


def lock(*, course: Course) -> None:
    """Hold every student's place in the course until commit, in the order in which all writers do."""
    students = Enrollment.objects.select_for_update().filter(course=course, role=Role.STUDENT).order_by("pk")
    list(students.values_list("pk"))


def refresh(*, course: Course, student_ids: Collection[int] | None = None) -> list[Difference]:
    """Compute and store the totals of the course's students, or of those named; the differences that this mended.

    The caller holds the enrollments locked, so that what is read here is what will be committed.
    """
    found = differences(course=course, student_ids=student_ids)
    enrollments = Enrollment.objects.filter(course=course, role=Role.STUDENT)
    if len(found) == 1:
        enrollments.filter(student=found[0].student_id).update(**found[0].computed)
        return found
    computed = {difference.student_id: difference.computed for difference in found}
    rows = list(enrollments.filter(student__in=computed).only("pk", "student_id"))
    for row in rows:
        for name, value in computed[row.student_id or 0].items():
            setattr(row, name, value)
    Enrollment.objects.bulk_update(rows, FIELDS, batch_size=_ROWS)
    return found


def differences(*, course: Course, student_ids: Collection[int] | None = None) -> list[Difference]:
    plan = standings.read_plan(course=course, with_unpublished=True)
    enrollments = Enrollment.objects.filter(course=course, role=Role.STUDENT)
    if student_ids is not None:
        enrollments = enrollments.filter(student__in=student_ids)
    stored = {row[0]: dict(zip(FIELDS, row[1:], strict=True)) for row in enrollments.values_list("student", *FIELDS)}
    grades = standings.read_grades(plan=plan, student_ids=student_ids)
    found = []
    for student_id, before in stored.items():
        computed = percents(Standing(plan=plan, student=Student(pk=student_id), grades=grades[student_id]))
        if computed != before:
            found.append(Difference(student_id=student_id, stored=before, computed=computed))
    return found


def percents(standing: Standing) -> dict[str, str | None]:
    """The totals as they are stored."""
    totals = (standing.current, standing.final, standing.unposted_current, standing.unposted_final)
    return dict(zip(FIELDS, map(text, totals), strict=True))


def text(total: scoring.Total) -> str | None:
    percent = total.percent
    return None if percent is None else f"{percent:f}"
