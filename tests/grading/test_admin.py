"""The admin: courses with what is in them, and the history to be read only."""

import logging
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.test import Client

from grading.management.commands.provision import Command as Provision
from grading.models import Assignment, Enrollment, GradeChange, Student
from tests.grading import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def registrar(client: Client) -> Client:
    """One of the group that `provision` makes, and nothing more."""
    # By its class, because another service has a command of this name.
    call_command(Provision())
    ann = User.objects.create_user("ann", is_staff=True)
    ann.groups.add(Group.objects.get(name="registrars"))
    client.force_login(ann)
    return client


MODELS = ("course", "term", "gradescale", "student", "enrollment", "gradechange", "importbatch")


@pytest.mark.parametrize("model", MODELS)
def test_every_list_is_shown(registrar: Client, model: str) -> None:
    course = factories.course()
    factories.grade(factories.student(course), factories.assignment(course), "7")
    assert registrar.get(f"/admin/grading/{model}/").status_code == 200
    assert registrar.get(f"/admin/grading/{model}/?q=ada").status_code == 200


def form_of(page: str) -> dict[str, Any]:
    """The fields of a page's form with their values."""
    from html.parser import HTMLParser

    class Fields(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.values: dict[str, Any] = {}
            self._select = ""

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            named = dict(attrs)
            name = named.get("name")
            if tag == "select" and name:
                self._select = name
            elif tag == "option" and "selected" in named:
                self.values[self._select] = named.get("value")
            elif tag == "input" and name:
                if named.get("type") != "checkbox":
                    self.values[name] = named.get("value") or ""
                elif "checked" in named:
                    self.values[name] = "on"

    fields = Fields()
    fields.feed(page)
    return {name: value or "" for name, value in fields.values.items() if not name.startswith("_")}


def test_a_course_is_changed_with_its_categories_and_assignments_and_totals_follow(registrar: Client) -> None:
    course = factories.course()
    ada = factories.student(course)
    essay = factories.assignment(course, points=10)
    factories.grade(ada, essay, "7")
    address = f"/admin/grading/course/{course.pk}/change/"
    page = registrar.get(address).content.decode()
    assert "Essay" in page
    fields = form_of(page)
    assert (fields["assignments-0-title"], fields["assignments-0-points"]) == ("Essay", "10.00")
    answer = registrar.post(address, fields | {"assignments-0-points": "14"})
    assert answer.status_code == 302, answer.content.decode()
    assert Assignment.objects.get().points == 14
    assert Enrollment.objects.get(student=ada).current_percent == "50.00"


def test_an_assignment_is_added_to_a_category_of_its_own_course_alone(registrar: Client) -> None:
    course, other = factories.course(), factories.course("geometry")
    address = f"/admin/grading/course/{course.pk}/change/"
    fields = form_of(registrar.get(address).content.decode())
    new = {"title": "Quiz", "kind": "quiz", "points": "5", "position": "0", "id": ""}

    def add(category: int) -> int:
        added = {f"assignments-0-{name}": value for name, value in (new | {"category": str(category)}).items()}
        return registrar.post(address, fields | added | {"assignments-TOTAL_FORMS": "1"}).status_code

    assert add(factories.category(other).pk) == 200
    assert not Assignment.objects.exists()
    assert add(factories.category(course).pk) == 302
    assert Assignment.objects.get().category.course == course


def test_history_is_read_only(registrar: Client) -> None:
    course = factories.course()
    factories.grade(factories.student(course), factories.assignment(course), "7")
    change = GradeChange.objects.get()
    address = f"/admin/grading/gradechange/{change.pk}"
    assert registrar.get(f"{address}/change/").status_code == 200
    assert registrar.post(f"{address}/change/", {"author": "eve"}).status_code == 403
    assert registrar.post(f"{address}/delete/", {"post": "yes"}).status_code == 403
    assert registrar.get("/admin/grading/gradechange/add/").status_code == 403


def test_a_student_without_a_sis_id_has_none(registrar: Client, caplog: pytest.LogCaptureFixture) -> None:
    """The log names each by id and author alone."""
    caplog.set_level(logging.INFO, "grading.admin")
    for username in ("ada", "bob"):
        answer = registrar.post("/admin/grading/student/add/", {"name": "A B", "username": username, "sis_id": ""})
        assert answer.status_code == 302, answer.content.decode()
    assert list(Student.objects.values_list("sis_id", flat=True)) == [None, None]
    told = [record.getMessage() for record in caplog.records if record.name.startswith("grading.admin")]
    assert told == [f"student added id={each.pk} author=admin:ann" for each in Student.objects.order_by("pk")]


def test_staff_without_a_permission_sees_no_grades(client: Client) -> None:
    client.force_login(User.objects.create_user("operator", is_staff=True))
    for model in MODELS:
        assert client.get(f"/admin/grading/{model}/").status_code == 403
