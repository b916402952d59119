import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from config.attempts import Attempts
from config.tokens import gate as gates
from config.tokens.models import AuditEntry
from tests.clock import Clock

HERE = "192.0.2.1"


@pytest.fixture
def noted() -> gates.Gate:
    return gates.Gate()


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch, settings: Settings, noted: gates.Gate, db: None) -> Client:
    settings.ROOT_URLCONF = "registry.urls"
    monkeypatch.setattr(apps.get_app_config("config"), "attempts", Attempts(Clock()))
    monkeypatch.setattr(apps.get_app_config("tokens"), "gate", noted)
    User.objects.create_superuser("ann", password="right")
    return Client(REMOTE_ADDR=HERE)


def post(client: Client, password: str, username: str = "ann") -> int:
    address = f"{reverse('admin:login')}?next=/admin/"
    return client.post(address, {"username": username, "password": password}).status_code


def test_the_admin_refuses_further_attempts_before_it_looks_at_the_password(guarded: Client) -> None:
    assert [post(guarded, "wrong") for _ in range(6)] == [200] * 5 + [429]
    # Also the right one, of which no hash is computed.
    answer = guarded.post(reverse("admin:login"), {"username": "ANN", "password": "right"})
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) >= 1
    assert answer["Cache-Control"] == "no-store"
    assert b"try again in" in answer.content


def test_attempts_are_in_the_audit_log(guarded: Client, noted: gates.Gate) -> None:
    for _ in range(6):
        post(guarded, "wrong")
    post(guarded, "wrong", username="my-password")
    noted.flush(now=0)
    found = set(AuditEntry.objects.values_list("who", "what", "times"))
    path = reverse("admin:login")
    assert found == {
        ("account ann", f"unauthenticated: sign-in {path}", 5),
        ("account ann", f"too-many-sign-ins: sign-in {path}", 1),
        ("an unknown account", f"unauthenticated: sign-in {path}", 1),
    }


def test_staff_sign_in_again_every_working_day(guarded: Client, settings: Settings) -> None:
    assert post(guarded, "right") == 302
    assert guarded.session.get_expiry_age() <= settings.STAFF_SESSION_SECONDS


def test_pages_of_who_has_signed_in_are_kept_by_nobody_and_have_a_policy(guarded: Client) -> None:
    post(guarded, "right")
    for path, status in (("/admin/", 200), ("/admin/nothing/", 404)):
        answer = guarded.get(path)
        assert answer.status_code == status
        assert "no-store" in answer["Cache-Control"]
        assert "'unsafe-eval'" in answer["Content-Security-Policy"]
    assert "unsafe-eval" not in guarded.get("/v1/nothing").headers.get("Content-Security-Policy", "")


@pytest.mark.parametrize(("header", "status"), [(("HTTP_X_FORWARDED_PROTO", "https"), 302), (None, 403)])
def test_behind_a_proxy_that_ends_tls_its_word_is_believed_only_where_it_was_said_so(
    guarded: Client, settings: Settings, header: tuple[str, str] | None, status: int
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = header
    browser = Client(enforce_csrf_checks=True, REMOTE_ADDR=HERE)
    address = f"{reverse('admin:login')}?next=/admin/"
    proxied = {"Host": "testserver", "X-Forwarded-Proto": "https", "Origin": "https://testserver"}
    token = str(browser.get(address, headers=proxied).context["csrf_token"])

    form = {"username": "ann", "password": "right", "csrfmiddlewaretoken": token}
    assert browser.post(address, form, headers=proxied).status_code == status
