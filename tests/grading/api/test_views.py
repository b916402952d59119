"""The API as a client meets it."""

from decimal import Decimal
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from grading.drafts import AMOUNT_RULE
from grading.models import Course, Enrollment, Grade, Kind, Scheme
from grading.representation import TIMES
from tests.grading import factories
from tests.grading.factories import TEACHER, Caller

pytestmark = pytest.mark.django_db

COURSE = {
    "code": "algebra",
    "title": "Algebra",
    "teachers": [TEACHER],
    "categories": [
        {"title": "Homework", "kind": "homework", "weight": 30, "drop_lowest": 1},
        {"title": "Tests", "kind": "test", "weight": "70"},
    ],
}


def grade_address(student_id: int, assignment_id: int) -> str:
    return f"/v1/courses/algebra/students/{student_id}/grades/{assignment_id}"


def test_a_course_is_made_filled_and_graded_over_http(admin: Caller, teacher: Caller) -> None:
    made = admin.post("/v1/courses", COURSE)
    assert (made.status_code, made["Location"]) == (201, "/v1/courses/algebra")
    homework = made.json()["categories"][0]["id"]
    student = teacher.post("/v1/courses/algebra/students", {"name": "Ada Lovelace", "username": "ada"})
    assert student.status_code == 201
    essay = teacher.post("/v1/courses/algebra/assignments", {"title": "Essay", "category": homework, "points": 7.5})
    assert (essay.status_code, essay.json()["points"]) == (201, "7.5")

    stored = teacher.put(grade_address(student.json()["id"], essay.json()["id"]), {"score": "7", "comment": "Good."})
    assert stored.status_code == 201
    assert stored.json()["grade"]["score"] == "7"
    assert stored.json()["current"] == {"percent": "93.33", "letter": "A-"}
    row = teacher.get("/v1/courses/algebra/students").json()["students"][0]
    assert (row["username"], row["current"]) == ("ada", {"percent": "93.33", "letter": "A-"})


def test_a_course_is_described_with_its_categories_and_teachers(teacher: Caller) -> None:
    factories.course(drop_lowest=1)
    answer = teacher.get("/v1/courses/algebra").json()
    assert (answer["title"], answer["scheme"], answer["may_write"]) == ("Algebra", "weighted", True)
    assert answer["teachers"] == [TEACHER]
    homework = answer["categories"][0]
    assert (homework["kind"], homework["weight"], homework["drop_lowest"]) == ("homework", "30", 1)


def test_a_student_without_a_grade_has_no_percentage_and_no_letter(teacher: Caller) -> None:
    course = factories.course()
    factories.assignment(course)
    student = factories.student(course)
    nothing = {"percent": None, "letter": None}
    assert teacher.get("/v1/courses/algebra/students").json()["students"][0]["current"] == nothing
    answer = teacher.get(f"/v1/courses/algebra/students/{student.pk}").json()
    assert (answer["current"], answer["final"]) == (nothing, nothing)
    assert answer["explanation"]["final"]["formula"] is None
    grade = answer["assignments"][0]["grade"]
    assert (grade["score"], grade["version"], grade["updated_by"]) == (None, 0, None)


def test_a_total_is_explained_line_by_line(teacher: Caller) -> None:
    course = factories.course(drop_lowest=1)
    student = factories.student(course)
    for title, score in (("One", "9"), ("Two", "4"), ("Three", None)):
        factories.grade(student, factories.assignment(course, title), score, excused=score is None)
    factories.grade(student, factories.assignment(course, "Midterm", kind=Kind.TEST, points=100), "80.5")

    answer = teacher.get(f"/v1/courses/algebra/students/{student.pk}").json()
    homework, tests = answer["explanation"]["current"]["categories"]
    assert [line["outcome"] for line in homework["lines"]] == ["counted", "dropped_lowest", "excused"]
    assert (homework["earned"], homework["possible"], homework["percent"]) == ("9", "10", "90.00")
    assert tests["percent"] == "80.50"
    formula = answer["explanation"]["current"]["formula"]
    assert formula.replace(TIMES, "x") == "100 x (30 x 9/10 + 70 x 80.5/100) / 100 = 83.35"
    assert answer["current"] == {"percent": "83.35", "letter": "B-"}


def test_the_points_scheme_is_explained_by_its_sums(teacher: Caller) -> None:
    course = factories.course(scheme=Scheme.POINTS)
    student = factories.student(course)
    factories.grade(student, factories.assignment(course, points=8), "6")
    factories.assignment(course, "Midterm", kind=Kind.TEST)
    explanation = teacher.get(f"/v1/courses/algebra/students/{student.pk}").json()["explanation"]
    assert explanation["current"]["formula"] == f"100 {TIMES} 6 / 8 = 75.00"
    assert explanation["final"]["formula"] == f"100 {TIMES} 6 / 18 = 33.33"


def test_two_editors_of_one_grade_never_overwrite_each_other(teacher: Caller) -> None:
    course = factories.course()
    student, essay = factories.student(course), factories.assignment(course)
    address = grade_address(student.pk, essay.pk)
    seen = teacher.put(address, {"score": "7"})["ETag"]

    first = teacher.put(address, {"score": "8"}, if_match=seen)
    second = teacher.put(address, {"score": "6"}, if_match=seen)
    assert (first.status_code, second.status_code) == (200, 412)
    theirs = second.json()["theirs"]
    assert (theirs["score"], theirs["version"], theirs["updated_by"]) == ("8", 2, TEACHER)
    assert teacher.get(address)["ETag"] == '"2"'
    assert teacher.put(address, {"score": "6"}, if_match=f'"{theirs["version"]}"').status_code == 200


def test_the_history_names_who_changed_what(teacher: Caller, admin: Caller) -> None:
    course = factories.course()
    student, essay = factories.student(course), factories.assignment(course)
    address = grade_address(student.pk, essay.pk)
    teacher.put(address, {"score": "7"})
    admin.put(address, {"score": None, "excused": True}, if_match='"1"')
    first, second = teacher.get(f"{address}/history").json()["changes"]
    assert (first["author"], first["before"], first["after"]["score"]) == (TEACHER, None, "7")
    assert (second["author"], second["version"]) == ("token:admin", 2)
    blank = {"score": None, "status": "none", "excused": False, "late_deduction": "0", "comment": ""}
    assert second["before"] == blank | {"score": "7"}
    assert second["after"] == blank | {"status": "excused", "excused": True}


@pytest.mark.parametrize(
    ("number", "text"),
    [("0.1", "0.1"), ("8.70", "8.7"), ("0.29", "0.29"), ('"007"', "7"), ("9999999.99", "9999999.99")],
)
def test_a_number_is_kept_exactly_as_it_was_written(teacher: Caller, number: str, text: str) -> None:
    course = factories.course()
    student, essay = factories.student(course), factories.assignment(course)
    answer = teacher.send("PUT", grade_address(student.pk, essay.pk), f'{{"score": {number}, "confirmed": true}}')
    assert answer.json()["grade"]["score"] == text
    assert Grade.objects.get().score == Decimal(text)


@pytest.mark.parametrize("typed", ["abc", "9,5", "1 000", "9.5.1"])
def test_what_is_no_number_is_refused_in_words_for_people(teacher: Caller, typed: str) -> None:
    course = factories.course()
    student, essay = factories.student(course), factories.assignment(course)
    answer = teacher.put(grade_address(student.pk, essay.pk), {"score": typed}, if_none_match="*")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": "/score", "detail": AMOUNT_RULE}]


def test_the_gradebook_shows_every_student_and_assignment_in_the_same_order(teacher: Caller) -> None:
    course = factories.course()
    essays = [factories.assignment(course, title) for title in ("One", "Two")]
    ada, bob = factories.student(course, "ada"), factories.student(course, "bob")
    factories.grade(bob, essays[1], "5")
    answer = teacher.get("/v1/courses/algebra/gradebook").json()
    assert [assignment["title"] for assignment in answer["assignments"]] == ["One", "Two"]
    assert [student["id"] for student in answer["students"]] == [ada.pk, bob.pk]
    assert [grade["score"] for grade in answer["students"][1]["grades"]] == [None, "5"]
    assert answer["students"][1]["current"] == {"percent": "50.00", "letter": "F"}
    assert answer["students"][1]["final"] == {"percent": "25.00", "letter": "F"}


@pytest.mark.parametrize("address", ["gradebook", "students", "assignments"])
def test_a_list_takes_as_many_queries_for_many_students_as_for_two(
    teacher: Caller, django_assert_max_num_queries: DjangoAssertNumQueries, address: str
) -> None:
    course = factories.course()
    essays = [factories.assignment(course, f"Essay {number}") for number in range(4)]
    for number in range(12):
        student = factories.student(course, f"student{number}")
        for essay in essays:
            factories.grade(student, essay, "5")
    with django_assert_max_num_queries(9):
        assert teacher.get(f"/v1/courses/algebra/{address}").status_code == 200


def test_one_students_grades_and_a_stored_grade_take_few_queries(
    teacher: Caller, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    course = factories.course()
    student, essay = factories.student(course), factories.assignment(course)
    with django_assert_max_num_queries(9):
        teacher.get(f"/v1/courses/algebra/students/{student.pk}")
    # Three to find who writes what, three to store it with its history and totals, six for what decides; else BEGIN.
    with django_assert_max_num_queries(15):
        teacher.put(grade_address(student.pk, essay.pk), {"score": "5"})


def test_a_student_sees_only_their_own_grades(teacher: Caller) -> None:
    course = factories.course()
    essay = factories.assignment(course)
    ada, bob = factories.student(course, "ada"), factories.student(course, "bob")
    factories.grade(bob, essay, "5")
    as_ada = teacher.acting_for("ada")
    assert [row["username"] for row in as_ada.get("/v1/courses/algebra/students").json()["students"]] == ["ada"]
    assert [row["username"] for row in as_ada.get("/v1/courses/algebra/gradebook").json()["students"]] == ["ada"]
    assert as_ada.get(f"/v1/courses/algebra/students/{ada.pk}").status_code == 200
    for address in (f"/v1/courses/algebra/students/{bob.pk}", grade_address(bob.pk, essay.pk)):
        assert as_ada.get(address).status_code == 403
    assert as_ada.get(f"{grade_address(bob.pk, essay.pk)}/history").status_code == 403


def test_a_student_sees_no_assignment_before_it_is_published(teacher: Caller) -> None:
    course = factories.course()
    secret = factories.assignment(course, "Surprise quiz", published=False)
    ada = factories.student(course, "ada")
    factories.grade(ada, secret, "5")
    as_ada = teacher.acting_for("ada")
    assert as_ada.get("/v1/courses/algebra/assignments").json()["assignments"] == []
    assert as_ada.get("/v1/courses/algebra/gradebook").json()["assignments"] == []
    assert b"Surprise" not in as_ada.get(f"/v1/courses/algebra/students/{ada.pk}").content
    assert as_ada.get(grade_address(ada.pk, secret.pk)).status_code == 404
    assert teacher.get(grade_address(ada.pk, secret.pk)).json()["score"] == "5"


def test_a_student_changes_nothing(teacher: Caller) -> None:
    course = factories.course()
    ada, essay = factories.student(course, "ada"), factories.assignment(course)
    as_ada = teacher.acting_for("ada")
    writes = [
        as_ada.put(grade_address(ada.pk, essay.pk), {"score": "10"}),
        as_ada.post("/v1/courses/algebra/students", {"name": "Eve", "username": "eve"}),
        as_ada.post("/v1/courses/algebra/assignments", {"title": "Gift", "category": essay.category_id, "points": "1"}),
        as_ada.post("/v1/courses", COURSE | {"code": "mine"}),
    ]
    assert [answer.status_code for answer in writes] == [403] * 4
    assert (Grade.objects.count(), Enrollment.objects.filter(role="student").count(), Course.objects.count()) == (
        0,
        1,
        1,
    )


def test_nobody_learns_of_a_course_they_are_not_in(teacher: Caller) -> None:
    factories.course()
    stranger = teacher.acting_for("stranger")
    assert stranger.get("/v1/courses").json() == {"courses": []}
    for address in ("algebra", "algebra/students", "algebra/gradebook", "algebra/students/1"):
        assert stranger.get(f"/v1/courses/{address}").status_code == 404


def test_no_person_makes_a_course(teacher: Caller) -> None:
    answer = teacher.post("/v1/courses", COURSE)
    assert answer.status_code == 403
    assert not Course.objects.exists()


def test_a_code_that_is_taken_is_a_conflict(admin: Caller) -> None:
    factories.course()
    assert admin.post("/v1/courses", COURSE).status_code == 409


def test_enrolling_again_answers_200(teacher: Caller) -> None:
    factories.course()
    body: dict[str, Any] = {"name": "Ada", "username": "ada"}
    assert teacher.post("/v1/courses/algebra/students", body).status_code == 201
    assert teacher.post("/v1/courses/algebra/students", body).status_code == 200


def test_a_page_about_one_grade_is_one_answer(teacher: Caller) -> None:
    course = factories.course()
    essay = factories.assignment(course)
    ada, bob, cid = (factories.student(course, username) for username in ("ada", "bob", "cid"))
    factories.grade(bob, essay, "7")
    answer = teacher.get(f"/v1/grades/{bob.pk}-{essay.pk}/full").json()
    assert (answer["student"]["name"], answer["assignment"]["title"], answer["grade"]["score"]) == ("Bob", "Essay", "7")
    assert (answer["course"]["may_write"], answer["current"]["percent"]) == (True, "70.00")
    assert [change["after"]["score"] for change in answer["changes"]] == ["7"]
    assert answer["neighbours"] == {
        "previous": {"id": ada.pk, "name": "Ada"},
        "following": {"id": cid.pk, "name": "Cid"},
        "number": 2,
        "count": 3,
    }
    first = teacher.get(f"/v1/courses/algebra/students/{ada.pk}").json()["neighbours"]
    assert (first["previous"], first["number"]) == (None, 1)
    assert teacher.acting_for("bob").get(f"/v1/grades/{bob.pk}-{essay.pk}/full").json()["neighbours"] is None


def test_a_page_about_one_assignment_is_one_answer(teacher: Caller) -> None:
    course = factories.course()
    works = [factories.assignment(course, title) for title in ("One", "Two", "Three")]
    for username, score in (("ada", "4"), ("bob", "8"), ("cid", None)):
        factories.grade(factories.student(course, username), works[1], score, excused=score is None)
    answer = teacher.get(f"/v1/courses/algebra/assignments/{works[1].pk}/grades").json()
    assert (answer["previous"]["title"], answer["following"]["title"]) == ("One", "Three")
    assert [row["grade"]["score"] for row in answer["students"]] == ["4", "8", None]
    assert [row["current"]["percent"] for row in answer["students"]] == ["40.00", "80.00", None]
    alone = teacher.get(f"/v1/courses/algebra/assignments/{works[1].pk}/statistics").json()
    assert answer["statistics"] == {name: value for name, value in alone.items() if name != "assignment"}


def test_what_was_stored_comes_with_the_totals_and_with_what_undoes_it(teacher: Caller) -> None:
    course = factories.course()
    essay, ada = factories.assignment(course), factories.student(course)
    stored = teacher.patch(f"/v1/grades/{ada.pk}-{essay.pk}", {"score": "7"}, if_match='"0"').json()
    undone = teacher.post(f"/v1/courses/algebra/changes/{stored['change']}:undo", {}).json()
    assert undone["grades"][0]["score"] is None
    assert undone["students"][0]["current"] == {"percent": None, "letter": None}
    row = {"student": ada.pk, "assignment": essay.pk, "version": 2, "score": "9", "comment": "Well done"}
    bulk = teacher.post("/v1/courses/algebra/grades:bulk", {"grades": [row]}).json()
    assert (bulk["grades"][0]["comment"], bulk["students"][0]["current"]["percent"]) == ("Well done", "90.00")
    same = teacher.patch(f"/v1/grades/{ada.pk}-{essay.pk}", {"score": "9"}, if_match='"3"').json()
    assert same["change"] is None


def test_the_history_of_a_course_names_whom_and_what_it_is_of(teacher: Caller) -> None:
    course = factories.course()
    essay, ada = factories.assignment(course), factories.student(course)
    factories.grade(ada, essay, "7")
    answer = teacher.get("/v1/courses/algebra/changes").json()
    assert answer["students"] == [{"id": ada.pk, "name": "Ada"}]
    assert answer["assignments"] == [{"id": essay.pk, "title": "Essay"}]
    assert answer["course"]["code"] == "algebra"


def test_a_list_of_enrollments_says_what_each_alone_does(teacher: Caller) -> None:
    course = factories.course()
    ada = factories.student(course)
    teacher.post("/v1/courses/algebra/enrollments", {"role": "observer", "username": "mrs-ada", "student": ada.pk})
    listed = teacher.get("/v1/courses/algebra/enrollments").json()["enrollments"]
    assert [each["role"] for each in listed] == ["observer", "student", "teacher"]
    assert listed == [teacher.get(f"/v1/courses/algebra/enrollments/{each['id']}").json() for each in listed]
