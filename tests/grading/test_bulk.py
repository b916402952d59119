"""Many grades at once, over HTTP and in the domain."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from grading import bulk
from grading.models import Course, Enrollment, Grade, GradeChange, ImportBatch, StoredAnswer
from tests.grading import factories
from tests.grading.factories import NOW, Caller

pytestmark = pytest.mark.django_db
BULK = "/v1/courses/algebra/grades:bulk"


@pytest.fixture
def course() -> Course:
    return factories.course()


@pytest.fixture
def rows(course: Course) -> list[dict[str, Any]]:
    essay = factories.assignment(course)
    students = [factories.student(course, username) for username in ("ada", "bob")]
    return [{"student": each.pk, "assignment": essay.pk, "version": 0, "score": "8"} for each in students]


def test_all_are_stored_as_one_batch_with_their_totals(teacher: Caller, rows: list[dict[str, Any]]) -> None:
    answer = teacher.post(BULK, {"grades": rows})
    assert answer.status_code == 200, answer.content
    assert [each["version"] for each in answer.json()["grades"]] == [1, 1]
    assert set(GradeChange.objects.values_list("batch", "source")) == {(answer.json()["batch"]["id"], "bulk")}
    assert set(Enrollment.objects.filter(role="student").values_list("current_percent", flat=True)) == {"80.00"}


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"version": 1}, 412, "precondition-failed"),
        ({"student": 999}, 422, "not-found"),
        ({"assignment": 999}, 422, "not-found"),
        ({"score": "101"}, 422, "confirmation-needed"),
        ({"late_deduction": "1"}, 422, "invalid"),
    ],
)
def test_one_refused_row_refuses_all_and_is_pointed_at(
    teacher: Caller, rows: list[dict[str, Any]], wrong: dict[str, Any], status: int, code: str
) -> None:
    answer = teacher.post(BULK, {"grades": [rows[0], rows[1] | wrong]})
    assert answer.status_code == status, answer.content
    [error] = answer.json()["errors"]
    assert error["pointer"].startswith("/grades/1")
    assert error["code"] == code
    assert not Grade.objects.exists()
    assert not ImportBatch.objects.exists()


def test_a_row_without_a_version_never_overwrites(teacher: Caller, rows: list[dict[str, Any]]) -> None:
    teacher.post(BULK, {"grades": rows})
    del rows[0]["version"]
    answer = teacher.post(BULK, {"grades": [rows[0] | {"score": "1"}]})
    assert answer.status_code == 428
    assert answer.json()["errors"][0]["theirs"]["score"] == "8"


def test_a_cell_that_is_named_twice_is_refused(teacher: Caller, rows: list[dict[str, Any]]) -> None:
    answer = teacher.post(BULK, {"grades": [rows[0], rows[0]]})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/grades/1"


def test_scores_far_above_the_points_are_stored_once_they_are_confirmed(
    teacher: Caller, rows: list[dict[str, Any]]
) -> None:
    answer = teacher.post(BULK, {"grades": [row | {"score": "101"} for row in rows], "confirmed": True})
    assert answer.status_code == 200
    assert answer.json()["grades"][0]["warnings"][0]["code"] == "above-points"


def test_a_repeated_request_is_answered_again_and_stores_nothing(teacher: Caller, rows: list[dict[str, Any]]) -> None:
    first = teacher.post(BULK, {"grades": rows}, idempotency_key="k1")
    again = teacher.post(BULK, {"grades": rows}, idempotency_key="k1")
    assert again.status_code == 200, again.content
    assert again["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()
    assert ImportBatch.objects.count() == 1
    other = teacher.post(BULK, {"grades": [rows[0] | {"version": 1, "score": "9"}]}, idempotency_key="k1")
    assert other.status_code == 409


def test_a_refused_request_may_be_corrected_under_the_same_key(teacher: Caller, rows: list[dict[str, Any]]) -> None:
    assert teacher.post(BULK, {"grades": [rows[0] | {"version": 5}]}, idempotency_key="k1").status_code == 412
    assert teacher.post(BULK, {"grades": rows}, idempotency_key="k1").status_code == 200


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "\u00e9"])
def test_a_key_that_is_none_is_refused(teacher: Caller, rows: list[dict[str, Any]], key: str) -> None:
    assert teacher.post(BULK, {"grades": rows}, idempotency_key=key).status_code == 400


def test_keys_are_forgotten_after_a_day(teacher: Caller, rows: list[dict[str, Any]]) -> None:
    teacher.post(BULK, {"grades": rows}, idempotency_key="k1")
    StoredAnswer.objects.update(at=NOW)
    assert bulk.prune(now=NOW + timedelta(hours=23)) == 0
    assert bulk.prune(now=NOW + timedelta(hours=25)) == 1


def test_the_log_names_ids_and_authors_and_no_score(
    teacher: Caller,
    rows: list[dict[str, Any]],
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    caplog.set_level(logging.DEBUG)
    with django_capture_on_commit_callbacks(execute=True):
        teacher.post(BULK, {"grades": [row | {"score": "8.75", "comment": "secret"} for row in rows]})
    [message] = [each for each in caplog.messages if each.startswith("grades stored")]
    assert all(f"{row['student']}-{row['assignment']}" in message for row in rows)
    assert "author=ms-rivera" in message
    assert "8.75" not in caplog.text
    assert "secret" not in caplog.text
