import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from config.tokens import issuing
from config.tokens.models import AuditEntry, Token

pytestmark = pytest.mark.django_db
ADD, LIST = "admin:tokens_token_add", "admin:tokens_token_changelist"


@pytest.fixture(autouse=True)
def _registry_urls(settings: Settings) -> None:
    settings.ROOT_URLCONF = "registry.urls"


@pytest.fixture
def client() -> Client:
    client = Client(REMOTE_ADDR="192.0.2.1")
    client.force_login(User.objects.create_superuser("ann"))
    return client


def form(**members: str) -> dict[str, str]:
    return {"name": "ci", "scopes": "read\nregister:team-*", "limits": "streams=3", **members}


def test_a_token_is_created_and_shown_once(client: Client) -> None:
    answer = client.post(reverse(ADD), form())
    [token] = re.findall(r"rct_[A-Za-z0-9_-]{40,}", answer.content.decode())
    assert "no-store" in answer["Cache-Control"]
    holder = issuing.holder(token)
    assert holder.scopes == {"read", "register:team-*"}
    assert holder.limits == {"streams": 3}
    assert token not in client.get(reverse(LIST)).content.decode()
    entry = AuditEntry.objects.get()
    assert (entry.kind, entry.author, entry.address) == ("created", "admin:ann", "192.0.2.1")
    assert LogEntry.objects.get().object_repr == f"ci ({token[:8]}…)"


@pytest.mark.parametrize(
    "members",
    [{"scopes": "everything"}, {"scopes": ""}, {"name": "two words"}, {"limits": "streams=x"}, {"limits": "x=1"}],
)
def test_what_no_token_may_have_is_said_in_the_form(client: Client, members: dict[str, str]) -> None:
    answer = client.post(reverse(ADD), form(**members))
    assert answer.status_code == 200
    assert "error" in answer.content.decode()
    assert not Token.objects.exists()


def test_the_name_of_a_live_token_is_taken(client: Client) -> None:
    issuing.create(name="ci", scopes=["read"])
    assert client.post(reverse(ADD), form()).status_code == 200
    assert Token.objects.count() == 1


def test_scopes_and_limits_are_changed(client: Client) -> None:
    issuing.create(name="ci", scopes=["read"])
    address = reverse("admin:tokens_token_change", args=[Token.objects.get().pk])
    assert "read" in client.get(address).content.decode()
    client.post(address, form(scopes="operate", limits=""))
    assert Token.objects.get().scopes == ["operate"]
    assert AuditEntry.objects.filter(kind="changed", author="admin:ann").exists()


def test_revoking_asks_first(client: Client) -> None:
    token = issuing.create(name="ci", scopes=["read"])
    address = reverse("admin:tokens_token_revoke", args=[Token.objects.get().pk])
    assert client.get(address).status_code == 200
    assert issuing.holder(token)
    client.post(address)
    assert Token.objects.get().revoked_at is not None


def test_who_may_only_look_changes_nothing(client: Client) -> None:
    issuing.create(name="ci", scopes=["read"])
    viewer = User.objects.create_user("bob", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_token"))
    client.force_login(viewer)
    revoke = reverse("admin:tokens_token_revoke", args=[Token.objects.get().pk])
    assert client.get(reverse(LIST)).status_code == 200
    assert client.post(reverse(ADD), form(name="other")).status_code == 403
    assert client.post(revoke).status_code == 403
    assert Token.objects.get().revoked_at is None


def test_the_audit_log_is_shown_and_cannot_be_changed(client: Client) -> None:
    issuing.create(name="ci", scopes=["read"])
    address = reverse("admin:tokens_auditentry_changelist")
    assert "ci" in client.get(address).content.decode()
    assert client.post(reverse("admin:tokens_auditentry_add"), {}).status_code == 403
