import re
from datetime import datetime
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.contrib.staticfiles import finders
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registry.admin import panels
from registry.health import probe_counts
from registry.health.probe_counts import HOUR, Counts, Period
from registry.instances import overrides
from registry.models import Delivery, Instance
from tests import factories
from tests.registry.admin.conftest import LIST, operate, text_of

pytestmark = pytest.mark.django_db


def test_the_services_are_listed_with_what_they_require_and_who_requires_them(operator: Client, now: datetime) -> None:
    factories.passing("logsvc", now=now)
    factories.passing("webui", now=now, requires=["logsvc", "mail"])

    page = text_of(operator, f"{LIST}services/")

    for name in ("logsvc", "webui", "mail"):
        assert f'href="{LIST}services/{name}/"' in page
    assert "1 passing" in page


@pytest.mark.parametrize("address", ["/admin/", f"{LIST}services/"])
def test_what_is_down_is_said_with_who_suffers_from_it(operator: Client, now: datetime, address: str) -> None:
    factories.passing("webui", now=now, requires=["mail"])

    assert "mail offers no instance: affects webui." in text_of(operator, address)


def test_the_pages_name_an_icon_that_is_there(operator: Client) -> None:
    for page in (text_of(Client(), "/admin/login/"), text_of(operator, "/admin/")):
        icon = re.search(r'<link rel="icon" href="/static/([^"]+)"', page)
        assert icon is not None
        assert finders.find(icon[1]) is not None


def test_no_page_leads_to_a_site_that_would_lead_back_to_it(operator: Client) -> None:
    for page in (text_of(Client(), "/admin/login/"), text_of(operator, "/admin/")):
        assert 'href="/"' not in page


def test_who_may_see_no_instance_is_told_of_none(client: Client, now: datetime) -> None:
    factories.passing("webui", now=now, requires=["mail"])
    client.force_login(User.objects.create_user("eve", is_staff=True))

    assert "mail" not in text_of(client, "/admin/").replace("outgoing_mail", "")
    assert client.get(f"{LIST}services/").status_code == 403


def test_names_and_numbers_of_things_read_as_they_are_written(operator: Client, now: datetime) -> None:
    instance = factories.passing("logsvc", now=now)
    factories.passing("webui", now=now)

    assert "Logsvc/" not in text_of(operator, f"{LIST}{instance.pk}/change/")
    assert "4 journal entries" in " ".join(text_of(operator, "/admin/registry/journalentry/").split())


def test_a_service_is_found_by_a_part_of_its_name(operator: Client, now: datetime) -> None:
    factories.passing("logsvc", now=now)
    factories.passing("webui", now=now)

    page = text_of(operator, f"{LIST}services/?q=log")

    assert f"{LIST}services/logsvc/" in page
    assert f"{LIST}services/webui/" not in page


def test_the_list_of_services_costs_the_same_queries_however_many_there_are(
    operator: Client, now: datetime, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        factories.passing(f"service-{number}", now=now, requires=["logsvc"])

    with django_assert_max_num_queries(15):
        text_of(operator, f"{LIST}services/")


def test_a_service_has_its_instances_its_requirements_and_its_uptime(operator: Client, now: datetime) -> None:
    instance = factories.passing("logsvc", now=now, requires=["mail"])
    factories.passing("webui", now=now, requires=["logsvc"])
    hour = int(timezone.now().timestamp() // 3600)
    probe_counts.write({Period(HOUR, "logsvc", "logsvc-1", hour): Counts(probes=1000, failures=1)})

    page = text_of(operator, f"{LIST}services/logsvc/")

    assert f"{LIST}{instance.pk}/change/" in page
    assert f"{LIST}services/webui/" in page
    assert f"{LIST}services/mail/" in page
    assert "99.9 %" in page


def test_an_instance_has_its_heartbeat_its_uptime_and_what_it_was_told(operator: Client, now: datetime) -> None:
    instance = factories.passing("webui", now=now, requires=["logsvc"])
    hour = int(timezone.now().timestamp() // 3600)
    probe_counts.write({Period(HOUR, "webui", "webui-1", hour): Counts(probes=2000, failures=500)})
    Delivery.objects.create(
        at=now,
        service="webui",
        instance="webui-1",
        webhook_id="msg_1",
        from_revision=1,
        to_revision=2,
        duration_ms=3.0,
        error="refused the connection",
    )

    page = text_of(operator, f"{LIST}{instance.pk}/change/")

    assert "1 successes in a row, of 1 for passing" in page
    assert " a.m." not in page
    assert " p.m." not in page
    assert " noon" not in page
    assert "75 % of 2,000 probes" in page
    assert "refused the connection" in page
    assert "Told up to revision" in page
    assert "whsec_" not in page


def test_a_maintenance_that_holds_is_said_on_every_page_it_concerns(operator: Client, now: datetime) -> None:
    instance = factories.passing("webui", now=now)
    overrides.begin_maintenance("webui", until=None, reason="moving house", author="tester", now=now)

    for address in (f"{LIST}services/webui/", f"{LIST}{instance.pk}/change/", "/admin/registry/maintenance/"):
        assert "moving house" in text_of(operator, address), address


def test_every_record_is_shown_and_none_can_be_changed(operator: Client, now: datetime) -> None:
    factories.passing("webui", now=now, requires=["logsvc"])
    operate(operator, "drain", "webui/webui-1", seconds=30)
    log = LogEntry.objects.get()

    for model in ("registry/journalentry", "registry/delivery", "registry/maintenance", "admin/logentry"):
        assert text_of(operator, f"/admin/{model}/")
        assert operator.get(f"/admin/{model}/add/").status_code == 403
    assert operator.post(f"/admin/admin/logentry/{log.pk}/change/", {}).status_code == 403
    assert operator.post(f"{LIST}{Instance.objects.get().pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_selection_in_the_list_leads_to_the_operation(operator: Client, now: datetime) -> None:
    chosen = [factories.passing("webui", f"webui-{number}", now=now) for number in (1, 2)]
    data = {"action": "drain", "_selected_action": [str(each.pk) for each in chosen]}

    page = operator.post(LIST, data, follow=True).content.decode()

    assert "webui/webui-1, webui/webui-2" in page
    assert Instance.objects.filter(draining_until__isnull=True).count() == 2


def test_who_may_only_look_sees_no_operation(visitor: Client, now: datetime) -> None:
    instance = factories.passing("webui", now=now)
    User.objects.get().user_permissions.add(Permission.objects.get(codename="view_delivery"))
    Delivery.objects.create(
        at=now, service="webui", instance="w", webhook_id="m", from_revision=1, to_revision=2, duration_ms=3.0
    )

    for address in (LIST, f"{LIST}{instance.pk}/change/", f"{LIST}services/webui/", "/admin/registry/delivery/"):
        page = text_of(visitor, address)
        assert "operations/" not in page, address
        assert 'value="drain"' not in page, address


def test_what_never_failed_is_alone_at_a_hundred_percent() -> None:
    assert panels.percent(1.0) == "100 %"
    assert panels.percent(0.999_999_9) == "99.999 %"
    assert panels.percent(None) == "-"


@pytest.mark.parametrize("address", [LIST, "/admin/registry/journalentry/", "/admin/registry/delivery/"])
def test_no_list_reads_a_whole_column_for_its_filters(operator: Client, now: datetime, address: str) -> None:
    factories.passing("webui", now=now)

    with CaptureQueriesContext(connection) as queries:
        text_of(operator, address)

    assert not [each["sql"] for each in queries if "DISTINCT" in each["sql"]]


@pytest.mark.parametrize(
    ("outcome", "shown", "hidden"), [("failed", "msg-a", "msg-b"), ("delivered", "msg-b", "msg-a")]
)
def test_the_deliveries_that_failed_are_found(
    operator: Client, now: datetime, outcome: str, shown: str, hidden: str
) -> None:
    for instance, error in (("msg-a", "refused"), ("msg-b", "")):
        Delivery.objects.create(
            at=now,
            service="webui",
            instance=instance,
            webhook_id="msg_1",
            from_revision=1,
            to_revision=2,
            duration_ms=3.0,
            error=error,
        )

    page = text_of(operator, f"/admin/registry/delivery/?outcome={outcome}")

    assert shown in page
    assert hidden not in page


def test_the_instances_of_one_service_are_listed_alone(operator: Client, now: datetime) -> None:
    factories.passing("webui", now=now)
    factories.passing("logsvc", now=now)

    page = text_of(operator, f"{LIST}?service=webui")

    assert "webui-1" in page
    assert "logsvc-1" not in page


def test_what_others_have_written_is_text_and_never_markup(operator: Client, now: datetime) -> None:
    markup = "<script>alert(1)</script>"
    instance = factories.passing("webui", now=now, requires=["logsvc"], zone=markup)
    Instance.objects.update(status_reason=markup)
    pages = [operate(operator, "maintenance", "webui/webui-1", reason=markup)]

    models = ("registry/journalentry", "registry/maintenance", "admin/logentry")
    addresses = (
        LIST,
        f"{LIST}{instance.pk}/change/",
        f"{LIST}services/webui/",
        *(f"/admin/{each}/" for each in models),
    )
    pages += [text_of(operator, address) for address in addresses]

    for page in pages:
        assert markup not in page
        assert "&lt;script&gt;" in page
