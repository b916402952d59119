"""The web UI's admin: what it keeps, for whoever may see it, in its roles."""

from datetime import timedelta
from html import unescape
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from config.settings import webui
from config.tokens.models import AuditEntry
from webui.models import Channel, Incident, Kind, Message, PublicPage, SavedSearch

pytestmark = pytest.mark.django_db
LISTS = {
    "viewer": ["incident", "channel", "message"],
    "operator": [],
    "administrator": ["savedsearch"],
}
PAGES = {
    "viewer": ["/admin/", "/admin/two-step/", *(f"/admin/webui/{model}/" for model in LISTS["viewer"])],
    "operator": ["/admin/admin/logentry/", "/admin/webui/channel/add/"],
    "administrator": [
        *("/admin/auth/user/", "/admin/auth/group/", "/admin/sessions/", "/admin/settings/"),
        *("/admin/tokens/auditentry/", "/admin/webui/savedsearch/"),
    ],
}
ROLES = list(PAGES)


@pytest.fixture(autouse=True)
def _its_own_admin(settings: Settings) -> None:
    settings.UNFOLD, settings.SERVICE = webui.UNFOLD, webui.SERVICE


def in_role(role: str) -> Client:
    # Tests that empty all tables remove the groups too; in the one database of the tests they are every service's.
    Group.objects.filter(name__in=ROLES).delete()
    import_module("webui.migrations.0002_admin_roles").make_roles(apps, None)
    person = User.objects.create_user("ann", is_staff=True)
    person.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(person)
    return client


def text_of(client: Client, address: str) -> str:
    answer = client.get(address, follow=True)
    assert answer.status_code == 200, address
    return answer.content.decode()


@pytest.fixture
def undelivered() -> Message:
    now = timezone.now()
    channel = Channel.objects.create(name="on call", url="json://user:hunter2@localhost/x", services=["ledger"])
    incident = Incident.objects.create(
        service="ledger", state="critical", severity="critical", affected=["shop"], began_at=now, confirmed_at=now
    )
    return Message.objects.create(
        channel=channel,
        incident=incident,
        kind=Kind.BEGAN,
        title="ledger is critical",
        body="",
        written_at=now,
        attempts=5,
        error="answered 500\x1b[31m",
    )


@pytest.mark.parametrize("role", ROLES)
def test_each_role_sees_its_own_pages_and_those_of_the_roles_before_it(role: str, undelivered: Message) -> None:
    person = in_role(role)
    allowed = ROLES[: ROLES.index(role) + 1]

    for owner, addresses in PAGES.items():
        for address in addresses:
            assert person.get(address).status_code == (200 if owner in allowed else 403), address


def test_nobody_but_staff_is_let_in_and_a_role_of_the_pages_is_none_of_the_admin(operator: Client) -> None:
    assert operator.get("/admin/").status_code == 302
    assert "see nothing yet" in text_of(staff_without_role(), "/admin/")


def staff_without_role() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("eve", is_staff=True))
    return client


def test_the_first_page_says_what_is_wrong(undelivered: Message) -> None:
    AuditEntry.objects.create(at=timezone.now(), kind="refused", who="account bob", what="unauthenticated", times=7)

    page = text_of(in_role("administrator"), "/admin/")

    assert all(
        words in page for words in ("1 alert was not delivered", "ledger", "shop", "account bob", "answered 500")
    )
    assert "\x1b" not in page
    assert "Alert channels" in page


def test_an_address_that_holds_a_password_is_never_shown_and_stays_when_none_is_given(undelivered: Message) -> None:
    person, channel = in_role("operator"), undelivered.channel
    address = f"/admin/webui/channel/{channel.pk}/change/"

    assert "hunter2" not in text_of(person, address)
    person.post(address, {"name": "night", "severity": "warning", "zone": "UTC", "services": "ledger shop", "url": ""})

    channel.refresh_from_db()
    assert (channel.name, channel.services, channel.url) == (
        "night",
        ["ledger", "shop"],
        "json://user:hunter2@localhost/x",
    )
    form = {"name": "x", "severity": "warning", "zone": "UTC", "url": "exec://x"}
    assert "not a way to send" in person.post("/admin/webui/channel/add/", form).content.decode()


def test_a_viewer_changes_nothing_and_sees_no_address(undelivered: Message) -> None:
    person, address = in_role("viewer"), f"/admin/webui/channel/{undelivered.channel_id}/change/"

    assert "hunter2" not in text_of(person, address)
    assert person.post(address, {"name": "x"}).status_code == 403


def test_an_alert_that_was_given_up_is_sent_again(undelivered: Message) -> None:
    chosen = {"action": "send_again", "_selected_action": [undelivered.pk]}

    page = in_role("operator").post("/admin/webui/message/", chosen, follow=True).content.decode()

    assert "On their way again, within five seconds: 1 of 1." in page
    undelivered.refresh_from_db()
    assert (undelivered.attempts, undelivered.sent_at) == (0, None)
    assert undelivered.try_at is not None


def test_a_viewer_sends_nothing_again(undelivered: Message) -> None:
    chosen = {"action": "send_again", "_selected_action": [undelivered.pk]}

    in_role("viewer").post("/admin/webui/message/", chosen, follow=True)

    undelivered.refresh_from_db()
    assert undelivered.try_at is None


def test_the_public_page_is_one_and_shows_its_services_in_the_order_given() -> None:
    person = in_role("operator")
    text_of(person, "/admin/webui/publicpage/")
    page = PublicPage.objects.get()
    form = {"is_enabled": "on", "title": "Our status", "services": "shop\n ledger shop"}

    person.post(f"/admin/webui/publicpage/{page.pk}/change/", form)

    page.refresh_from_db()
    assert (page.is_enabled, page.title, page.services) == (True, "Our status", ["shop", "ledger"])
    assert person.get("/admin/webui/publicpage/add/").status_code == 403
    assert person.post(f"/admin/webui/publicpage/{page.pk}/delete/", {"post": "yes"}).status_code == 403


def test_incidents_are_filtered_by_whether_they_last(undelivered: Message) -> None:
    now = timezone.now()
    Incident.objects.create(service="gone", state="critical", severity="critical", began_at=now, ended_at=now)
    Incident.objects.create(service="maybe", state="critical", severity="critical", began_at=now - timedelta(seconds=1))
    person = in_role("viewer")

    found = {
        state: [
            name
            for name in ("gone", "maybe", "ledger")
            if f">{name}<" in text_of(person, f"/admin/webui/incident/?is={state}")
        ]
        for state in ("open", "over", "suspected")
    }

    assert found == {"open": ["ledger"], "over": ["gone"], "suspected": ["maybe"]}


def test_a_saved_search_is_shown_with_its_owner_and_may_be_deleted() -> None:
    bob = User.objects.create_user("bob")
    search = SavedSearch.objects.create(user=bob, name="errors", address="q=level%3Aerror")
    person = in_role("administrator")

    assert "bob" in text_of(person, "/admin/webui/savedsearch/")
    person.post(f"/admin/webui/savedsearch/{search.pk}/delete/", {"post": "yes"})

    assert not SavedSearch.objects.exists()


def test_the_admin_and_the_pages_lead_to_each_other() -> None:
    person = in_role("administrator")
    User.objects.get(username="ann").groups.add(Group.objects.get_or_create(name="operators")[0])

    assert "Web UI's admin" in unescape(text_of(person, "/public/settings"))
    page = unescape(text_of(person, "/admin/two-step/"))
    assert all(title in page for title in ("Registry's admin", "Log service's admin", "Grading's admin"))
    assert f'{webui.PUBLIC_URLS["webui"]}/"' in page
