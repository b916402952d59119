"""Files of people: confirmed, run twice, and taken back beside others who change the same."""

from typing import Any

import pytest

from grading.models import Course, Enrollment, Role, Section, State, Student
from tests.grading import factories
from tests.grading.factories import Caller

pytestmark = pytest.mark.django_db

IMPORTS = "/v1/courses/algebra/imports?content=roster"
ROSTER = "name,username,section\nAda,ada,A\nBob,bob,A\nCleo,cleo,A\n"


@pytest.fixture
def course() -> Course:
    """A course of Ada and Bob."""
    course = factories.course()
    for username in ("ada", "bob"):
        factories.student(course, username)
    return course


def upload(caller: Caller, content: str = ROSTER) -> Any:
    preview = caller.send("POST", IMPORTS, content, content_type="text/csv")
    assert preview.status_code == 201, preview.content
    return preview.json()


def confirm(caller: Caller, preview: Any) -> Any:
    answer = caller.post(f"/v1/courses/algebra/imports/{preview['id']}:confirm", {})
    assert answer.status_code == 200, answer.content
    return answer.json()


def undo(caller: Caller, done: Any) -> Any:
    return caller.post(f"/v1/courses/algebra/batches/{done['id']}:undo", {})


def of(username: str) -> Enrollment:
    return Enrollment.objects.select_related("section").get(student__username=username)


def test_what_somebody_changed_since_the_preview_is_refused_row_by_row(teacher: Caller, course: Course) -> None:
    preview = upload(teacher)
    Enrollment.objects.filter(student__username="bob").update(state=State.DROPPED)
    outcome = confirm(teacher, preview)["outcome"]
    assert outcome["stored"] == 2
    [refused] = outcome["refused"]
    assert refused["line"] == 3
    assert "'bob' was enrolled or changed by somebody else since the preview" in refused["detail"]
    assert (of("bob").state, of("cleo").state) == (State.DROPPED, State.ACTIVE)


def test_a_section_that_was_deleted_since_the_preview_is_made_again(teacher: Caller, course: Course) -> None:
    course.sections.create(title="A")
    preview = upload(teacher)
    course.sections.all().delete()
    assert confirm(teacher, preview)["outcome"]["refused"] == []
    assert of("ada").section == Section.objects.get(title="A")


def test_an_undo_leaves_whom_somebody_changed_since(teacher: Caller, course: Course) -> None:
    done = confirm(teacher, upload(teacher))
    other = course.sections.create(title="B")
    Enrollment.objects.filter(student__username="ada").update(section=other)
    answer = undo(teacher, done)
    assert answer.status_code == 201
    assert [each["enrollment"] for each in answer.json()["refused"]] == [of("ada").pk]
    assert (of("ada").section, of("bob").section, of("cleo").state) == (other, None, State.DROPPED)
    assert undo(teacher, done).status_code == 409


def test_nobody_is_put_back_into_a_section_that_is_gone(teacher: Caller, course: Course) -> None:
    old = course.sections.create(title="Old")
    Enrollment.objects.filter(student__username="ada").update(section=old)
    done = confirm(teacher, upload(teacher, "username,section\nada,New\n"))
    old.delete()
    assert undo(teacher, done).status_code == 409
    assert of("ada").section == Section.objects.get(title="New")


def test_an_assistant_takes_back_no_roster(teacher: Caller, course: Course) -> None:
    course.enrollments.create(role=Role.ASSISTANT, username="mr-park", enrolled_at=factories.NOW)
    done = confirm(teacher, upload(teacher))
    assert undo(teacher.acting_for("mr-park"), done).status_code == 403
    assert of("cleo").state == State.ACTIVE


def test_a_list_that_says_nothing_of_states_brings_back_who_left_and_reopens_nothing(
    teacher: Caller, course: Course
) -> None:
    """A registrar may send the same file every night."""
    confirm(teacher, upload(teacher))
    Enrollment.objects.filter(student__username="ada").update(state=State.COMPLETED)
    Enrollment.objects.filter(student__username="bob").update(state=State.DROPPED)
    preview = upload(teacher)["preview"]
    assert [(row["username"], row["action"], row["state"]) for row in preview["people"]] == [
        ("bob", "change", "active")
    ]
    assert preview["same"] == 2


def test_an_id_that_somebody_else_was_given_since_the_preview_is_refused(teacher: Caller, course: Course) -> None:
    preview = upload(teacher, "name,username,sis id\nCleo,cleo,77\nDan,dan,78\n")
    Student.objects.create(name="Eve", username="eve", sis_id="77")
    outcome = confirm(teacher, preview)["outcome"]
    assert [(each["line"], "'77'" in each["detail"]) for each in outcome["refused"]] == [(2, True)]
    assert set(Enrollment.objects.filter(role=Role.STUDENT).values_list("student__username", flat=True)) == {
        "ada",
        "bob",
        "dan",
    }


def test_who_teaches_already_is_not_made_an_assistant(teacher: Caller, course: Course) -> None:
    preview = upload(teacher, f"username,role\n{factories.TEACHER},assistant\n")
    [refused] = confirm(teacher, preview)["outcome"]["refused"]
    assert "delete that enrollment first" in refused["detail"]


def test_hundreds_are_enrolled_with_a_few_statements(
    teacher: Caller, course: Course, django_assert_max_num_queries: Any
) -> None:
    def file(count: int) -> str:
        return "username,section\n" + "".join(f"s{number:04},S{number % 3}\n" for number in range(count))

    large = upload(teacher, file(300))
    # For each student alone they were a dozen.
    with django_assert_max_num_queries(60):
        assert confirm(teacher, large)["outcome"]["stored"] == 300
