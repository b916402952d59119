import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.webui.conftest import SignIn
from tests.webui.faked.world import World
from webui.roles import TEACHING, Role

COURSES = ["/courses", "/courses/math-1", "/courses/math-1/students/1"]
STATUS = ["/status"]
OPERATING = ["/logs"]
EVERY_PAGE = [*COURSES, *STATUS, *OPERATING]


@pytest.mark.parametrize(
    ("role", "opened"),
    [
        (Role.TEACHER, [*COURSES, *STATUS]),
        (Role.ASSISTANT, [*COURSES, *STATUS]),
        (Role.STUDENT, COURSES),
        (Role.OBSERVER, COURSES),
        (Role.OPERATOR, [*STATUS, *OPERATING]),
    ],
)
def test_each_role_opens_its_own_pages_and_no_others(
    world: World, sign_in: SignIn, role: Role, opened: list[str]
) -> None:
    client = sign_in("teacher" if role in TEACHING else "somebody", role)
    statuses = {address: client.get(address).status_code for address in EVERY_PAGE}
    assert {address for address, status in statuses.items() if status != 403} == set(opened)


def test_the_refusal_names_who_the_page_is_for(student: Client) -> None:
    assert "This page is for assistants, operators, teachers." in student.get("/status").content.decode()


def test_the_head_of_the_page_offers_only_what_opens(world: World, student: Client) -> None:
    page = student.get("/courses").content.decode()
    assert "My grades" in page
    assert 'href="/logs"' not in page


def test_a_part_that_needs_signing_in_again_takes_the_whole_page_there(db: None, client: Client) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/courses/math-1?q=a"}
    answer = client.get("/status", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["HX-Redirect"] == "/sign-in?next=/courses/math-1%3Fq%3Da"


def test_pages_of_a_person_stay_in_no_cache(world: World, teacher: Client) -> None:
    answer = teacher.get("/courses")
    assert "no-store" in answer.headers["Cache-Control"]
    assert "HX-Request" in answer.headers["Vary"]


def test_a_closed_account_opens_nothing(world: World, sign_in: SignIn) -> None:
    client = sign_in("somebody", Role.TEACHER)
    User.objects.update(is_active=False)
    assert client.get("/courses").headers["Location"].startswith("/sign-in")
