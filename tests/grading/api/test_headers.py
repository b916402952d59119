"""The acting person, and the version that they saw, over HTTP."""

import pytest

from grading.models import Course, Grade
from tests.grading import factories
from tests.grading.factories import Caller


@pytest.fixture(scope="module")
def address(module_db: None) -> str:
    course = factories.course()
    student, assignment = factories.student(course), factories.assignment(course)
    return f"/v1/courses/algebra/students/{student.pk}/grades/{assignment.pk}"


def test_a_token_that_acts_for_people_must_say_for_whom(teacher: Caller) -> None:
    answer = teacher.acting_for(None).get("/v1/courses")
    assert answer.status_code == 403
    assert "`Rollcall-Act-For: <username>`" in answer.json()["detail"]


def test_a_token_without_the_scope_acts_for_nobody(admin: Caller) -> None:
    answer = admin.acting_for("ada").get("/v1/courses")
    assert answer.status_code == 403
    assert "act-for" in answer.json()["detail"]


@pytest.mark.parametrize("name", ["a b", "token:admin", "%00", "%ff", "x" * 151, "a,b", "%0aada"])
def test_a_header_that_names_no_person_is_refused(teacher: Caller, name: str) -> None:
    answer = teacher.acting_for(name).get("/v1/courses")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_a_name_beyond_ascii_comes_percent_encoded(teacher: Caller, address: str) -> None:
    assert address, "it makes the course"
    factories.student(Course.objects.get(), "zoë")
    answer = teacher.acting_for("zo%C3%AB").get("/v1/courses")
    assert [course["code"] for course in answer.json()["courses"]] == ["algebra"]


def test_a_read_token_may_not_write(db: None, address: str) -> None:
    reader = factories.caller("reader", scopes=["read"])
    assert reader.get(address).status_code == 200
    assert reader.put(address, {"score": "9"}).status_code == 403


def test_without_a_token_nothing_is_answered(db: None, address: str) -> None:
    answer = Caller(token="rct_unknown").get(address)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("headers", [{}, {"if_match": '"0"'}, {"if_none_match": "*"}])
def test_a_first_grade_needs_no_version_or_zero_or_if_none_match(
    teacher: Caller, address: str, headers: dict[str, str]
) -> None:
    answer = teacher.put(address, {"score": "9"}, **headers)
    assert (answer.status_code, answer["ETag"]) == (201, '"1"')


def test_if_none_match_does_not_change_a_grade_that_is_there(teacher: Caller, address: str) -> None:
    teacher.put(address, {"score": "9"})
    answer = teacher.put(address, {"score": "8"}, if_none_match="*")
    assert (answer.status_code, answer.json()["theirs"]["score"]) == (412, "9")


def test_a_change_without_a_version_is_asked_for_one(teacher: Caller, address: str) -> None:
    teacher.put(address, {"score": "9"})
    answer = teacher.put(address, {"score": "8"})
    assert answer.status_code == 428
    assert 'If-Match: "1"' in answer.json()["detail"]


@pytest.mark.parametrize("version", ["*", "1", 'W/"1"', '"1", "2"', '"x"', '""', '"-1"', '"' + "9" * 5000 + '"', "é"])
def test_a_malformed_version_is_refused_and_nothing_stored(teacher: Caller, address: str, version: str) -> None:
    answer = teacher.put(address, {"score": "8"}, if_match=version)
    assert answer.status_code == 400
    assert "If-Match" in answer.json()["detail"]
    assert not Grade.objects.exists()


def test_both_headers_at_once_are_refused(teacher: Caller, address: str) -> None:
    assert teacher.put(address, {"score": "8"}, if_match='"1"', if_none_match="*").status_code == 400
    assert teacher.put(address, {"score": "8"}, if_none_match='"1"').status_code == 400
