"""Enrolling people in courses, and changing their enrollments."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from msgspec import UNSET

from config.problems import Conflict, Invalid, NotFound
from grading import totals
from grading.drafts import EnrollmentDraft, EnrollmentPatch, StudentDraft
from grading.models import Course, Enrollment, Role, Section, State, Student


@transaction.atomic
def enrol(*, course: Course, draft: StudentDraft, now: datetime) -> tuple[Student, bool]:
    """Enrol a student; returns the student, and whether they were not in the course before.

    A student who is known by that username already, also from another course, keeps the name and the SIS id they have;
    one who dropped the course is active again. Raises Conflict when somebody else has that SIS id.
    """
    section = _find_section(course, draft.section)
    student = _find_or_create_student(draft=draft)
    enrollment, is_new = Enrollment.objects.get_or_create(
        course=course, role=Role.STUDENT, student=student, defaults={"enrolled_at": now, "section": section}
    )
    if not is_new:
        _change(enrollment, state=State.ACTIVE, **({"section": section} if section else {}))
    return student, is_new


@transaction.atomic
def create_enrollment(
    *, course: Course, draft: EnrollmentDraft, now: datetime, students: QuerySet[Student] | None = None
) -> tuple[Enrollment, bool]:
    """Create an enrollment; returns it, and whether it is new. `students` are those who may be named by their id, by
    default all.

    Raises Invalid for a student or a section that is not there, Conflict for somebody who has another role as staff.
    """
    section = _find_section(course, draft.section)
    known = Student.objects.all() if students is None else students
    student = known.filter(pk=draft.student).first() if draft.student is not None else None
    if draft.student is not None and student is None:
        raise _invalid("/student", f"There is no student {draft.student}: GET /v1/students lists those there are.")
    if draft.role == Role.OBSERVER and not course.enrollments.filter(role=Role.STUDENT, student=student).exists():
        raise _invalid("/student", f"The student {draft.student} is not in the course: enrol them first.")
    person = {"username": draft.username or "", "student": student}
    if draft.role in {Role.TEACHER, Role.ASSISTANT}:
        other = course.enrollments.filter(username=person["username"], role__in=[Role.TEACHER, Role.ASSISTANT])
        if (found := other.exclude(role=draft.role).first()) is not None:
            raise Conflict(f"{draft.username!r} is a {found.role} of the course already: delete that enrollment first.")
    enrollment, is_new = Enrollment.objects.get_or_create(
        course=course,
        role=draft.role,
        **person,
        defaults={"enrolled_at": now, "section": section, "state": draft.state},
    )
    if not is_new:
        enrollment = _change(enrollment, state=draft.state, **({"section": section} if section else {}))
    return enrollment, is_new


@transaction.atomic
def change_enrollment(*, enrollment: Enrollment, patch: EnrollmentPatch) -> Enrollment:
    """Change the members that the patch names, whatever became of the others meanwhile. Raises NotFound."""
    changed: dict[str, Any] = {}
    if patch.state is not UNSET:
        changed["state"] = patch.state
    if patch.section is not UNSET:
        changed["section"] = _find_section(enrollment.course, patch.section)
    return _change(enrollment, **changed)


@transaction.atomic
def delete_enrollment(*, enrollment: Enrollment) -> None:
    """Take staff and observers out of a course; raises Conflict for a student, whose grades and history are kept."""
    if enrollment.role == Role.STUDENT:
        raise Conflict('A student\'s grades are kept: send `{"state": "dropped"}` instead.')
    enrollment.delete()


def find_enrollment(*, course: Course, enrollment_id: int) -> Enrollment:
    """Raises NotFound."""
    found = Enrollment.objects.select_related("course", "section", "student")
    enrollment = found.filter(course=course, pk=enrollment_id).first()
    if enrollment is None:
        listing = f"GET /v1/courses/{course.code}/enrollments"
        raise NotFound(f"There is no enrollment {enrollment_id} in {course.code!r}: {listing}.")
    return enrollment


def _change(enrollment: Enrollment, **changed: Any) -> Enrollment:
    """The enrollment as it is stored then, read anew under its lock, which the writers of its grades wait for, too."""
    places = Enrollment.objects.select_for_update(of=("self",)).select_related("course", "section", "student")
    held = places.filter(pk=enrollment.pk).first()
    if held is None:
        raise NotFound(f"The enrollment {enrollment.pk} was deleted meanwhile.")
    for name, value in changed.items():
        setattr(held, name, value)
    held.save(update_fields=list(changed))
    if held.role == Role.STUDENT and held.student_id is not None:
        totals.refresh(course=held.course, student_ids=[held.student_id])
    return held


def _find_section(course: Course, section_id: int | None) -> Section | None:
    if section_id is None:
        return None
    section = Section.objects.filter(course=course, pk=section_id).first()
    if section is None:
        listing = f"GET /v1/courses/{course.code}/sections lists them"
        raise _invalid("/section", f"The course has no section {section_id}: {listing}.")
    return section


def _find_or_create_student(*, draft: StudentDraft) -> Student:
    """The student of that username, who keeps what they have, made where there is none.

    Raises Conflict when somebody else has that SIS id.
    """
    student = Student.objects.filter(username=draft.username).first()
    if student is not None:
        return student
    if draft.sis_id is not None:
        _check_sis_id(draft.sis_id)
    student, _ = Student.objects.get_or_create(
        username=draft.username, defaults={"name": draft.name, "sis_id": draft.sis_id}
    )
    return student


def _check_sis_id(sis_id: str) -> None:
    if Student.objects.filter(sis_id=sis_id).exists():
        raise Conflict(f"Another student has the SIS id {sis_id!r}: correct it.")


def _invalid(pointer: str, detail: str) -> Invalid:
    return Invalid("See `errors` for each member.", errors=[{"pointer": pointer, "detail": detail}])
