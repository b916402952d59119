import pytest
from django.test import Client, RequestFactory

from webui.views import errors


def test_an_unknown_address_is_answered_with_a_way_back(db: None, client: Client) -> None:
    page = client.get("/nothing")
    assert page.status_code == 404
    assert 'href="/"' in page.content.decode()


def test_a_form_without_its_token_is_refused_with_what_to_do(db: None) -> None:
    page = Client(enforce_csrf_checks=True).post("/sign-in", {"username": "teacher"})
    assert page.status_code == 403
    assert "Load the page again" in page.content.decode()


def test_a_failure_of_our_own_needs_neither_database_nor_session(client: Client) -> None:
    page = errors.answer_server_error(RequestFactory().get("/"))
    assert page.status_code == 500
    assert "not your fault" in page.content.decode()


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_a_page_takes_no_other_method(db: None, client: Client, method: str) -> None:
    assert getattr(client, method)("/status").status_code == 405


def test_a_host_that_is_not_allowed_is_a_bad_request(db: None, client: Client) -> None:
    assert client.get("/sign-in", headers={"host": "elsewhere.example"}).status_code == 400
