from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from config import sessions

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _urls(settings: Settings) -> None:
    settings.ROOT_URLCONF = "webui.urls"


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def administrator() -> User:
    ann = User.objects.create_user("ann", is_staff=True)
    ann.user_permissions.add(*Permission.objects.filter(codename__in=["view_user", "change_user"]))
    return ann


def test_a_page_says_who_is_signed_in_and_shows_no_key_of_a_session() -> None:
    bob = User.objects.create_user("bob")
    signed_in(bob)
    key = signed_in(bob).session.session_key

    page = signed_in(administrator()).get("/admin/sessions/").content.decode()

    assert "bob" in page
    assert str(key) not in page
    assert {each.user.username: each.sessions for each in sessions.signed_in(now=timezone.now())} == {
        "ann": 1,
        "bob": 2,
    }


def test_all_sessions_of_a_person_are_ended_for_a_reason_and_nobody_elses() -> None:
    bob, eve = (User.objects.create_user(name, is_staff=True) for name in ("bob", "eve"))
    theirs, others = [signed_in(bob), signed_in(bob)], signed_in(eve)
    client = signed_in(administrator())
    address = f"/admin/sessions/{bob.pk}/end/"
    assert "bob" in client.get(address).content.decode()

    answer = client.post(address, {"reason": "lost his phone"}, follow=True)

    assert "bob: ended 2 sessions." in answer.content.decode()
    assert [each.get("/admin/").status_code for each in (*theirs, others)] == [302, 302, 200]
    entry = LogEntry.objects.get()
    assert (entry.object_repr, entry.change_message) == ("bob", "Ended 2 sessions. Reason: lost his phone")


def test_only_who_may_change_accounts_ends_sessions_and_only_a_superuser_those_of_one() -> None:
    root = User.objects.create_superuser("root")
    ann = administrator()
    viewer = User.objects.create_user("viewer", is_staff=True)

    assert signed_in(viewer).get("/admin/sessions/").status_code == 403
    assert signed_in(viewer).post(f"/admin/sessions/{ann.pk}/end/").status_code == 403
    assert signed_in(ann).post(f"/admin/sessions/{root.pk}/end/").status_code == 403
    assert Client().get("/admin/sessions/").status_code == 302


def test_sessions_that_are_over_are_forgotten() -> None:
    now = timezone.now()
    for key, ends in (("old", now - timedelta(hours=1)), ("new", now + timedelta(hours=1))):
        Session.objects.create(session_key=key, session_data="", expire_date=ends)

    sessions.forget_expired(now=now)

    assert [each.session_key for each in Session.objects.all()] == ["new"]
