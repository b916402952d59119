"""The answer to any body says what to change, and nothing is stored half."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from grading.models import Assignment, Course, Grade
from tests.grading import factories
from tests.grading.factories import Caller

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=10), values, max_size=3),
    max_leaves=6,
)
# Mostly well-formed, so that what is wrong is found deep inside.
near_grades = st.fixed_dictionaries(
    {}, optional={"score": json_values | st.decimals().map(str), "excused": json_values, "comment": json_values}
)
near_assignments = st.fixed_dictionaries(
    {"title": json_values, "category": st.integers() | json_values, "points": json_values | st.decimals().map(str)},
    optional={"due_on": json_values, "published": json_values, "position": st.integers() | json_values},
)
near_courses = st.fixed_dictionaries(
    {"code": json_values | st.just("algebra"), "title": json_values},
    optional={
        "scheme": json_values,
        "teachers": st.lists(json_values, max_size=2),
        "categories": st.lists(
            st.fixed_dictionaries({"title": json_values, "kind": st.just("test"), "weight": json_values}), max_size=2
        ),
    },
)


@pytest.fixture
def address(db: None) -> str:
    course = factories.course()
    student, assignment = factories.student(course), factories.assignment(course)
    return f"/v1/courses/algebra/students/{student.pk}/grades/{assignment.pk}"


class AnyBody(TestCase):
    caller: Caller
    grade: str

    @classmethod
    def setUpTestData(cls) -> None:
        """Make it once: each example is undone to this."""
        cls.caller = factories.caller("admin", scopes=["read", "write"])
        course = factories.course()
        student, assignment = factories.student(course), factories.assignment(course)
        cls.grade = f"/v1/courses/algebra/students/{student.pk}/grades/{assignment.pk}"

    def _check(self, method: str, path: str, body: bytes) -> int:
        answer = self.caller.send(method, path, body)
        assert answer.status_code < 500, answer.content
        if answer.status_code >= 400:
            assert answer["Content-Type"] == "application/problem+json"
            assert answer.json()["detail"]
        return answer.status_code

    @given(json_values | near_grades)
    def test_no_grade_makes_the_service_fail(self, body: Any) -> None:
        status = self._check("PUT", self.grade, json.dumps(body).encode())
        assert Grade.objects.exists() == (status == 201)

    @given(json_values | near_assignments)
    def test_no_assignment_makes_the_service_fail(self, body: Any) -> None:
        status = self._check("POST", "/v1/courses/algebra/assignments", json.dumps(body).encode())
        assert (Assignment.objects.count() == 2) == (status == 201)

    @given(json_values | near_courses)
    def test_no_course_makes_the_service_fail(self, body: Any) -> None:
        status = self._check("POST", "/v1/courses", json.dumps(body).encode())
        assert (Course.objects.count() == 2) == (status == 201)

    @given(json_values)
    def test_no_student_makes_the_service_fail(self, body: Any) -> None:
        self._check("POST", "/v1/courses/algebra/students", json.dumps(body).encode())

    @given(st.binary(max_size=60))
    def test_no_bytes_make_the_service_fail(self, body: bytes) -> None:
        for method, path in (("PUT", self.grade), ("POST", "/v1/courses"), ("POST", "/v1/courses/algebra/students")):
            self._check(method, path, body)


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ("", 400, None),
        ("{", 400, None),
        (b"\xff", 400, None),
        ('{"score": NaN}', 400, None),
        ('{"score": "9", "comment": "\\u0000"}', 400, None),
        ('{"score": "9", "comment": "\\ud800"}', 400, None),
        ("[" * 100_000, 400, None),
        ("[]", 422, "/"),
        ("{}", 422, "/score"),
        ('{"score": "nine"}', 422, "/score"),
        ('{"score": "NaN"}', 422, "/score"),
        ('{"score": true}', 422, "/score"),
        ('{"score": -1}', 422, "/score"),
        ('{"score": 9.999}', 422, "/score"),
        ('{"score": 1e999999}', 400, None),
        ('{"score": "1e999999"}', 422, "/score"),
        ('{"score": "9", "excused": "yes"}', 422, "/excused"),
        ('{"score": "9", "comment": 7}', 422, "/comment"),
    ],
)
def test_a_body_that_is_no_grade_is_told_what_is_wrong(
    teacher: Caller, address: str, body: str | bytes, status: int, pointer: str | None
) -> None:
    answer = teacher.send("PUT", address, body)
    assert answer.status_code == status
    if pointer:
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert not Grade.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "pointer"), [({"kind": "exam"}, "/categories/1/kind"), ({"weight": "-1"}, "/categories/1/weight")]
)
def test_a_fault_deep_inside_is_pointed_at(admin: Caller, wrong: dict[str, str], pointer: str) -> None:
    categories = [{"title": "Tests", "kind": "test"}, {"title": "Quizzes", "kind": "quiz", **wrong}]
    answer = admin.post("/v1/courses", {"code": "algebra", "title": "Algebra", "categories": categories})
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("wrong", "pointer", "detail"),
    [
        ({"code": None}, "/code", "It is required."),
        ({"code": "X Y"}, "/code", "Expected lower-case letters, digits and '-', at most 63, no '-' first."),
        ({"title": " "}, "/title", "Expected a text that is not blank, on one line, without control characters."),
        ({"scheme": "stars"}, "/scheme", "'stars' is none of weighted, points."),
        ({"teachers": ["a b"]}, "/teachers/0", "Expected letters, digits and _ . @ + - alone, at most 150."),
        (
            {"categories": [{"title": "Tests", "kind": "exam"}]},
            "/categories/0/kind",
            "'exam' is none of homework, test, quiz.",
        ),
        ({"categories": [{"title": "Tests"}]}, "/categories/0/kind", "It is required."),
        ({"teachers": ["ann"] * 101}, "/teachers", "Expected at most 100 of them."),
        (
            {"categories": [{"title": str(number), "kind": "test"} for number in range(101)]},
            "/categories",
            "Expected at most 100 of them.",
        ),
    ],
)
def test_what_is_wrong_is_said_with_what_would_be_right(
    admin: Caller, wrong: dict[str, Any], pointer: str, detail: str
) -> None:
    members = {"code": "algebra", "title": "Algebra", **wrong}
    answer = admin.post("/v1/courses", {name: value for name, value in members.items() if value is not None})
    assert answer.json()["errors"] == [{"pointer": pointer, "detail": detail}]


def test_a_body_of_another_type_is_refused(teacher: Caller, address: str) -> None:
    answer = teacher.send("PUT", address, "score=9", content_type="text/plain")
    assert answer.status_code == 415
    assert not Grade.objects.exists()


@pytest.mark.parametrize(
    "path",
    [
        "nothing",
        "courses/%00",
        "courses/algebra/students/99999999999999999999",
        f"courses/algebra/students/{'9' * 5000}",
    ],
)
def test_an_address_where_nothing_is_kept_is_a_problem(admin: Caller, path: str) -> None:
    factories.course()
    answer = admin.get(f"/v1/{path}")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_a_method_that_an_address_does_not_take_is_a_problem(admin: Caller) -> None:
    answer = admin.send("DELETE", "/v1/courses", None)
    assert (answer.status_code, answer["Content-Type"]) == (405, "application/problem+json")
