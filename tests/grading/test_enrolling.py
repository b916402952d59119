"""Enrolling people."""

import pytest

from config.problems import NotFound
from grading import courses, enrolling
from grading.drafts import AssignmentPatch, EnrollmentDraft, EnrollmentPatch
from grading.models import Enrollment, Role, State
from tests.grading import factories
from tests.grading.factories import NOW, Caller

pytestmark = pytest.mark.django_db


def test_two_who_change_one_enrollment_at_once_both_get_what_they_said() -> None:
    """Each has read it before the other stored."""
    course = factories.course()
    factories.student(course)
    section = course.sections.create(title="A")
    first, second = (Enrollment.objects.select_related("course").get(role=Role.STUDENT) for _ in range(2))
    enrolling.change_enrollment(enrollment=first, patch=EnrollmentPatch(state=State.DROPPED))
    enrolling.change_enrollment(enrollment=second, patch=EnrollmentPatch(section=section.pk))
    stored = Enrollment.objects.get(role=Role.STUDENT)
    assert (stored.state, stored.section) == (State.DROPPED, section)


def test_what_was_deleted_meanwhile_is_not_found() -> None:
    course = factories.course()
    assistant = EnrollmentDraft(role=Role.ASSISTANT, username="mr-park")
    enrollment, _ = enrolling.create_enrollment(course=course, draft=assistant, now=NOW)
    Enrollment.objects.filter(pk=enrollment.pk).delete()
    with pytest.raises(NotFound):
        enrolling.change_enrollment(enrollment=enrollment, patch=EnrollmentPatch(state=State.COMPLETED))
    assignment = factories.assignment(course)
    courses.delete_assignment(
        assignment=courses.find_assignment(course=course, assignment_id=assignment.pk, with_unpublished=True)
    )
    with pytest.raises(NotFound):
        courses.change_assignment(assignment=assignment, patch=AssignmentPatch(posted=False))


def test_a_teacher_who_tries_ids_learns_of_no_student_elsewhere(teacher: Caller, admin: Caller) -> None:
    stranger = factories.student(factories.course("geometry"), "grace")
    Enrollment.objects.filter(role=Role.TEACHER).update(username="ms-other")
    course = factories.course()
    former = factories.student(course, "dan")
    Enrollment.objects.filter(student=former).update(state=State.DROPPED)
    path = "/v1/courses/algebra/enrollments"
    refused = teacher.post(path, {"role": "student", "student": stranger.pk})
    nobody = teacher.post(path, {"role": "student", "student": stranger.pk + 1000})
    assert (refused.status_code, nobody.status_code) == (422, 422)
    assert refused.json()["errors"][0]["pointer"] == "/student"
    assert teacher.post(path, {"role": "student", "student": former.pk}).json()["state"] == "active"
    assert admin.post(path, {"role": "student", "student": stranger.pk}).status_code == 201
