"""Saved searches and alert rules in the admin."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from logsvc.models import AlertMessage, AlertRule, SavedSearch
from tests.logsvc.alerts.test_rules import make_rule

pytestmark = pytest.mark.django_db
RULES, SEARCHES = "/admin/logsvc/alertrule/", "/admin/logsvc/savedsearch/"
RULE = {
    "name": "errors", "query": "level>=error", "condition": "more-than", "threshold": "5", "window_seconds": "300",
    "quiet_seconds": "600", "url": "http://127.0.0.1:9/x", "secret": "", "is_enabled": "on",
}  # fmt: skip


@pytest.fixture
def operator(settings: Settings) -> Client:
    settings.UNFOLD = {"SIDEBAR": {"navigation": "logsvc.admin.navigation.navigation"}}
    client = Client()
    client.force_login(User.objects.create_superuser("ada", password="x"))
    return client


def send(client: Client, path: str, fields: dict[str, str]) -> str:
    response = client.post(path, fields, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def test_a_rule_is_made_and_its_secret_shown_once_and_kept(operator: Client) -> None:
    made = send(operator, f"{RULES}add/", RULE)
    rule = AlertRule.objects.get()
    assert rule.secret
    assert rule.secret in made.replace("&#x27;", "'")

    changed = send(operator, f"{RULES}{rule.pk}/change/", RULE | {"threshold": "7"})

    again = AlertRule.objects.get()
    assert (again.secret, again.threshold) == (rule.secret, 7)
    assert rule.secret not in changed
    assert rule.secret not in operator.get(f"{RULES}{rule.pk}/change/").content.decode()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"query": "level>=x"}, "not a level"),
        ({"url": "http://169.254.169.254/"}, "never called"),
        ({"secret": "whsec_x"}, "whsec_"),
        ({"window_seconds": "5"}, "from 10 seconds to a day"),
    ],
)
def test_a_wrong_rule_is_explained(operator: Client, change: dict[str, str], word: str) -> None:
    assert word in send(operator, f"{RULES}add/", RULE | change)
    assert not AlertRule.objects.exists()


def test_a_search_is_saved_where_its_query_is_right(operator: Client) -> None:
    assert "not a level" in send(operator, f"{SEARCHES}add/", {"name": "x", "query": "level>=x"})
    send(operator, f"{SEARCHES}add/", {"name": "x", "query": "level>=warn"})

    assert SavedSearch.objects.get().query == "level>=warn"
    assert "level&gt;=warn" in operator.get(SEARCHES).content.decode()


def test_a_test_message_is_sent_and_listed(operator: Client) -> None:
    rule = make_rule()

    send(operator, RULES, {"action": "send_test", "_selected_action": str(rule.pk)})

    message = AlertMessage.objects.get()
    assert message.kind == "logs.alert.test"
    assert message.rule.name in operator.get("/admin/logsvc/alertmessage/").content.decode()
    assert operator.get(f"/admin/logsvc/alertmessage/{message.pk}/change/").status_code == 200
