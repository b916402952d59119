"""Permissions to see and to write."""

import pytest

from config.problems import Forbidden, NotFound
from grading import access
from grading.access import Actor, Seat
from tests.grading import factories

pytestmark = pytest.mark.django_db


def seat_of(actor: Actor) -> Seat:
    return access.find_seat(actor=actor, code="algebra")


def test_a_teacher_writes_and_sees_everybody() -> None:
    factories.course()
    seat = seat_of(Actor.person(factories.TEACHER))
    seat.require_editor()
    seat.require_student(1)
    assert seat.shown_student_ids is None


def test_a_token_that_acts_for_itself_writes_and_sees_everybody() -> None:
    factories.course()
    seat = seat_of(Actor.token("importer"))
    seat.require_editor()
    assert seat.shown_student_ids is None


def test_a_student_sees_only_themselves_and_writes_nothing() -> None:
    ada = factories.student(factories.course(), "ada")
    seat = seat_of(Actor.person("ada"))
    seat.require_student(ada.pk)
    assert seat.shown_student_ids == frozenset({ada.pk})
    with pytest.raises(Forbidden):
        seat.require_student(ada.pk + 1)
    with pytest.raises(Forbidden):
        seat.require_editor()


def test_a_teacher_who_is_also_enrolled_stays_a_teacher() -> None:
    factories.student(factories.course(), factories.TEACHER)
    assert seat_of(Actor.person(factories.TEACHER)).shown_student_ids is None


def test_a_course_is_there_only_for_those_who_are_in_it() -> None:
    factories.student(factories.course("geometry"), "ada")
    factories.course("algebra")
    with pytest.raises(NotFound):
        seat_of(Actor.person("ada"))
    assert [seat.course.code for seat in access.list_seats(actor=Actor.person("ada"))] == ["geometry"]
    assert access.list_seats(actor=Actor.person("nobody")) == []
    assert len(access.list_seats(actor=Actor.token("importer"))) == 2


def test_a_token_is_never_taken_for_a_person_of_its_name() -> None:
    assert Actor.token("ada").author != Actor.person("ada").author
