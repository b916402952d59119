"""The receiver of webhooks takes the registry's, and refuses everything else with a problem."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from pytest_django import Settings

from registry.client import Membership, new_secret
from registry.client.django import joining
from tests.clients.registry import test_membership
from tests.clients.registry.fake import FakeRegistry
from tests.waiting import until

NOTIFY = "/rollcall/notify"


@pytest.fixture
def me(registry: FakeRegistry) -> Membership:
    joining.join()
    me = joining.membership()
    assert me is not None
    until(lambda: me.revision == 1)
    return me


@pytest.fixture(autouse=True)
def _signed_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_membership, "NOW", datetime.now(UTC))


def post(secret: str | None, *, client: Client | None = None) -> tuple[int, str]:
    assert secret is not None
    headers, body = test_membership.webhook(secret, 1, 5, "grading-1")
    answer = (client or Client()).post(NOTIFY, body, content_type="application/json", headers=headers)
    return answer.status_code, answer.headers.get("Content-Type", "")


def test_a_genuine_webhook_is_known_at_once(me: Membership) -> None:
    assert post(me.registration.notify_secret)[0] == 204
    assert [provider.instance for provider in me.providers("grading")] == ["grading-1"]


def test_a_webhook_needs_no_csrf_token(me: Membership) -> None:
    assert post(me.registration.notify_secret, client=Client(enforce_csrf_checks=True))[0] == 204


def test_a_forged_webhook_is_refused(me: Membership) -> None:
    assert post(new_secret()) == (401, "application/problem+json")
    assert me.providers("grading") == ()


def test_a_body_over_the_limit_is_refused(me: Membership, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    assert post(me.registration.notify_secret) == (413, "application/problem+json")


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_another_method_is_refused(me: Membership, method: str) -> None:
    answer = getattr(Client(), method)(NOTIFY)
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert answer["Content-Type"] == "application/problem+json"


def test_a_process_that_has_not_joined_takes_no_webhooks() -> None:
    assert post(new_secret()) == (404, "application/problem+json")
