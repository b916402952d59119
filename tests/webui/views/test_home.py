import pytest
from django.test import Client

from tests.webui.conftest import SignIn
from webui.roles import Role


@pytest.mark.parametrize(
    ("roles", "address"),
    [
        ([Role.TEACHER], "/courses"),
        ([Role.STUDENT], "/courses"),
        ([Role.OPERATOR], "/status"),
        ([Role.OPERATOR, Role.TEACHER], "/courses"),
    ],
)
def test_everybody_starts_where_their_work_is(sign_in: SignIn, roles: list[Role], address: str) -> None:
    assert sign_in("somebody", *roles).get("/").headers["Location"] == address


def test_whoever_has_no_role_is_told_whom_to_ask(sign_in: SignIn) -> None:
    page = sign_in("somebody").get("/")
    assert page.status_code == 200
    assert "Ask an operator" in page.content.decode()


def test_whoever_is_not_signed_in_is_asked_to(db: None, client: Client) -> None:
    assert client.get("/").headers["Location"] == "/sign-in?next=/"
