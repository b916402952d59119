"""Scores as they are written: plain decimals, exact, and above the points only with a word."""

import time
from decimal import Decimal

import pytest

from grading.drafts import AMOUNT_RULE
from grading.models import Grade
from tests.grading import factories
from tests.grading.factories import Caller

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def address(module_db: None) -> str:
    course = factories.course()
    student, assignment = factories.student(course), factories.assignment(course)
    return f"/v1/grades/{student.pk}-{assignment.pk}"


NO_NUMBERS = [
    *('"sNaN"', '"NaN"', '"Infinity"', '"-0"', '"1e1"', '"+5"', '"1_000"', '"0_0_7"', '"0x10"', '" 5 "', '"\\t7\\n"'),
    *('"\u0665"', '"\uff15"', '""', '"9,5"', '"9."', '".5"', '"9.999"', '"9.990"', '"10000000"', '"9.5\\u2028"'),
    *("true", "[]", "{}", "9.999", "9.990", "10000000", "-1", "1e1", "1.5e1", "0.5e1", "-0.0"),
]


@pytest.mark.parametrize("number", NO_NUMBERS)
@pytest.mark.parametrize("member", ["score", "late_deduction"])
def test_what_is_no_plain_decimal_is_refused_with_a_pointer(
    teacher: Caller, address: str, number: str, member: str
) -> None:
    answer = teacher.send("PATCH", address, f'{{"{member}": {number}, "status": "late"}}', if_match='"0"')
    assert answer.status_code == 422, answer.content
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{member}"]
    assert not Grade.objects.exists()


@pytest.mark.parametrize("number", ["9999999.99", "0.29", "1.10", "0.1", "9.5", "0", "10"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_plain_number_is_stored_exactly(teacher: Caller, address: str, number: str, quote: str) -> None:
    body = f'{{"score": {quote}{number}{quote}, "confirmed": true}}'
    answer = teacher.send("PATCH", address, body, if_match='"0"')
    assert answer.status_code == 201, answer.content
    assert Grade.objects.get().score == Decimal(number)
    assert answer.json()["grade"]["score"] == (number.rstrip("0") if "." in number else number)


@pytest.mark.parametrize(
    "number",
    ["1e1000000", '"1E+999999999"', '"1E-999999999"', "9" * 100_000, f'"{"9" * 100_000}"', '"' + "0" * 100_000 + '1"'],
)
def test_a_huge_number_is_refused_at_once(teacher: Caller, address: str, number: str) -> None:
    started = time.process_time()
    answer = teacher.send("PATCH", address, f'{{"score": {number}}}', if_match='"0"')
    assert answer.status_code in {400, 422}
    assert time.process_time() - started < 1


@pytest.mark.parametrize("body", ['{"points": "1_0"}', '{"points": 1e1}', '{"points": "\u0665"}'])
def test_points_and_weights_are_held_to_the_same(teacher: Caller, address: str, body: str) -> None:
    assignment = address.rpartition("-")[2]
    answer = teacher.send("PATCH", f"/v1/courses/algebra/assignments/{assignment}", body)
    assert (answer.status_code, answer.json()["errors"][0]["detail"]) == (422, AMOUNT_RULE)
    answer = teacher.post("/v1/courses/algebra/categories", {"title": "X", "kind": "test", "weight": "1_0"})
    assert answer.json()["errors"] == [{"pointer": "/weight", "detail": AMOUNT_RULE}]


@pytest.mark.parametrize("query", ["limit=1_0", "limit=+5", "limit=%D9%A5", "limit=1e1", "limit=-1", "before=x"])
def test_numbers_after_the_question_mark_are_plain_too(teacher: Caller, address: str, query: str) -> None:
    assert teacher.get(f"/v1/courses/algebra/changes?{query}").status_code == 422


def test_a_score_above_the_points_is_stored_with_a_warning(teacher: Caller, address: str) -> None:
    answer = teacher.patch(address, {"score": "25"}, if_match='"0"')
    assert answer.status_code == 201
    [warning] = answer.json()["warnings"]
    assert warning == {"code": "above-points", "detail": "The score 25 is above the 10 points of this assignment."}
    assert teacher.patch(address, {"score": "10"}, if_match='"1"').json()["warnings"] == []


def test_a_score_of_more_than_ten_times_the_points_must_be_confirmed(teacher: Caller, address: str) -> None:
    assert teacher.patch(address, {"score": "100"}, if_match='"0"').status_code == 201
    refused = teacher.patch(address, {"score": "100.01"}, if_match='"1"')
    assert refused.status_code == 422
    assert refused.json()["type"] == "urn:rollcall:problem:confirmation-needed"
    assert Grade.objects.get().version == 1
    assert teacher.patch(address, {"score": "100.01", "confirmed": True}, if_match='"1"').status_code == 200
    # A comment on what was confirmed asks nobody again.
    assert teacher.patch(address, {"comment": "a bonus"}, if_match='"2"').status_code == 200


@pytest.mark.parametrize("comment", ["\u0007", "a\u202eb", "\u2066x", "\x1b[31m"])
def test_a_comment_holds_no_control_characters_but_lines(teacher: Caller, address: str, comment: str) -> None:
    assert teacher.patch(address, {"comment": comment}, if_match='"0"').status_code == 422
    assert teacher.patch(address, {"comment": "two\nlines\tand more"}, if_match='"0"').status_code == 201
