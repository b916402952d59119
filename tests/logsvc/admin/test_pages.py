"""The log service's admin: records to look at, usage, retention."""

import re

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from logsvc.models import RetentionRule
from tests.logsvc import factories
from tests.logsvc.factories import keep, keep_each, record

pytestmark = pytest.mark.django_db
RECORDS, USAGE = "/admin/logsvc/retentionrule/records/", "/admin/logsvc/retentionrule/usage/"


@pytest.fixture(autouse=True)
def _its_own_sidebar(settings: Settings) -> None:
    settings.UNFOLD = {"SIDEBAR": {"navigation": "logsvc.admin.navigation.navigation"}}


@pytest.fixture
def operator() -> Client:
    user = User.objects.create_user("ada", password="x", is_staff=True)
    user.user_permissions.add(
        *Permission.objects.filter(codename__in=["view_records", "view_retentionrule", "change_retentionrule"])
    )
    client = Client()
    client.force_login(user)
    return client


def text(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def test_records_are_found_by_a_query_and_lead_to_one_with_what_is_around_it(operator: Client) -> None:
    keep_each(["thread", "needle", "haystack"], instance="i-1")

    found = text(operator, f"{RECORDS}?q=needle")
    one = text(operator, reverse("admin:logsvc_record", args=[factories.stored("needle")[0].id]))

    assert "needle" in found
    assert "haystack" not in found
    assert all(word in one for word in ("thread", "needle", "haystack", "severity number"))
    assert re.search(r"\d\d:\d\d:\d\d\.\d{3} UTC", found)
    assert "No record is found." in text(operator, f"{RECORDS}?q=nothing")


def test_a_wrong_query_is_explained(operator: Client) -> None:
    assert "wrong at character 1: there is no field" in text(operator, f"{RECORDS}?q=foo:bar")


def test_older_records_are_a_page_away(operator: Client) -> None:
    keep_each(str(number) for number in range(60))

    first = text(operator, RECORDS)

    last = factories.stored()[49].id
    assert f"before={last}" in first
    assert "before=" not in text(operator, f"{RECORDS}?q=&before={last}")


def test_what_a_record_says_changes_nothing_of_the_page(operator: Client) -> None:
    keep(record("<script>alert(1)</script> \x1b[31m \u202e gnp.exe"))

    page = text(operator, RECORDS)

    assert "<script>alert(1)" not in page
    assert "\\x1b[31m" in page
    assert "\u202e" not in page


def test_usage_says_what_is_kept_and_for_how_long(operator: Client) -> None:
    RetentionRule.objects.create(service="grading", keep_days=3, is_archived=True)
    keep_each("abc")

    page = text(operator, USAGE)

    assert all(words in page for words in ("grading", "3 days", "yes", "3 records"))


def test_who_may_not_see_records_sees_none() -> None:
    keep_each("a")
    client = Client()
    client.force_login(User.objects.create_user("eve", password="x", is_staff=True))
    identifier = factories.stored()[0].id

    for path in (RECORDS, USAGE, reverse("admin:logsvc_record", args=[identifier])):
        assert client.get(path).status_code == 403
        assert Client().get(path).status_code == 302


def test_the_list_of_rules_says_what_holds_where_there_is_none(operator: Client, settings: Settings) -> None:
    def page() -> str:
        return " ".join(text(operator, "/admin/logsvc/retentionrule/").split())

    nothing = page()
    settings.RETENTION_MEBIBYTES = 500
    RetentionRule.objects.create(service="billing", is_archived=True)

    assert (
        "Where no rule says otherwise, records of every service and level are kept for 14 days, whatever their size, "
        "and deleted without an archive."
    ) in nothing
    assert "as a wider rule or the default says" in page()
    assert "all records together at most 500 MiB" in page()


def test_a_rule_is_made_and_one_that_says_nothing_is_refused() -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root", password="x"))
    add = reverse("admin:logsvc_retentionrule_add")

    refused = client.post(add, {"service": "a", "level": ""})
    client.post(add, {"service": "a", "level": "DEBUG", "keep_days": "3"})

    assert b"Give days, a size" in refused.content
    assert RetentionRule.objects.get().keep_days == 3
