import pytest
from django.contrib.auth.models import User
from django.test import Client

PASSWORD = "correct horse"


@pytest.fixture
def person(db: None) -> User:
    return User.objects.create_user("teacher", password=PASSWORD)


def test_a_person_signs_in_and_goes_where_they_wanted(client: Client, person: User) -> None:
    answer = client.post("/sign-in", {"username": "teacher", "password": PASSWORD, "next": "/logs?q=x"})
    assert answer.headers["Location"] == "/logs?q=x"


def test_nobody_is_led_to_another_site(client: Client, person: User) -> None:
    form = {"username": "teacher", "password": PASSWORD, "next": "https://elsewhere.example/"}
    assert client.post("/sign-in", form).headers["Location"] == "/"


@pytest.mark.parametrize("form", [{}, {"username": "teacher"}, {"username": "teacher", "password": "wrong"}])
def test_who_is_not_let_in_is_told_why(client: Client, person: User, form: dict[str, str]) -> None:
    page = client.post("/sign-in", form)
    assert page.status_code == 200
    assert 'role="alert"' in page.content.decode()
    assert "_auth_user_id" not in client.session


def test_a_person_signs_out(client: Client, person: User) -> None:
    client.force_login(person)
    assert client.post("/sign-out").headers["Location"] == "/sign-in"
    assert client.get("/").headers["Location"] == "/sign-in?next=/"


def test_a_page_of_who_was_signed_in_before_sends_nothing_in_another_persons_name(person: User) -> None:
    other = User.objects.create_user("assistant", password=PASSWORD)
    browser = Client(enforce_csrf_checks=True)
    page = browser.get("/sign-in")
    form = {"username": "teacher", "password": PASSWORD, "csrfmiddlewaretoken": str(page.context["csrf_token"])}
    browser.post("/sign-in", form)
    old = str(browser.get("/change-password").context["csrf_token"])

    browser.post("/sign-out", headers={"X-CSRFToken": old})
    form |= {"username": other.username, "csrfmiddlewaretoken": str(browser.get("/sign-in").context["csrf_token"])}
    browser.post("/sign-in", form)
    sent = browser.post("/change-password", headers={"X-CSRFToken": old, "HX-Request": "true"})

    assert browser.session["_auth_user_id"] == str(other.pk)
    assert sent.status_code == 403
    assert "Load the page again" in sent.content.decode()


def test_the_chosen_colours_are_kept_in_the_browser_and_lead_back(client: Client) -> None:
    assert "data-bs-theme" not in client.get("/sign-in").content.decode()
    answer = client.post("/theme", {"theme": "dark", "next": "/sign-in?next=/logs"})
    assert answer.headers["Location"] == "/sign-in?next=/logs"
    assert ' data-bs-theme="dark">' in client.get("/sign-in").content.decode()
    client.post("/theme", {"theme": "system"})
    assert "data-bs-theme" not in client.get("/sign-in").content.decode()


@pytest.mark.parametrize("page", ["https://evil.test/", "//evil.test", "javascript:alert(1)", "", "course"])
def test_the_choice_of_colours_leads_to_no_other_site(client: Client, page: str) -> None:
    assert client.post("/theme", {"theme": "none", "next": page}).headers["Location"] == "/"
