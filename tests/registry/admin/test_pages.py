import csv
import os
import re
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.contrib.staticfiles import finders
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config import in_force
from config.services import SERVICES
from config.tokens import issuing
from config.tokens.models import AuditEntry, Token
from registry.admin import panels
from registry.health import probe_counts
from registry.health.probe_counts import HOUR, Counts, Period
from registry.health.watchdog import Part
from registry.instances import overrides
from registry.models import Cursor, Delivery, Heartbeat, Instance, SignOfLife
from tests import factories
from tests.registry.admin.conftest import LIST, in_role, operate, text_of

pytestmark = pytest.mark.django_db


def test_the_services_are_listed_with_what_they_require_and_who_requires_them(operator: Client, now: datetime) -> None:
    factories.passing("logsvc", now=now)
    factories.passing("webui", now=now, requires=["logsvc", "mail"])

    page = text_of(operator, f"{LIST}services/")

    for name in ("logsvc", "webui", "mail"):
        assert f'href="{LIST}services/{name}/"' in page
    assert "1 passing" in page


def words_of(client: Client, address: str) -> str:
    """The text of a page, without its markup."""
    return " ".join(re.sub(r"<[^>]*>", " ", text_of(client, address)).split())


def test_the_dashboard_says_in_one_sentence_what_is_down_and_what_it_affects(operator: Client, now: datetime) -> None:
    factories.passing("grading", now=now, requires=["mail"])
    factories.passing("webui", now=now, requires=["grading"])

    page = words_of(operator, "/admin/")

    assert "mail is missing" in page
    assert "(required, but no instance of it is registered): affects grading , webui ." in page
    assert "Services without a passing instance 1 of 3" in page
    assert "grading requires mail" in page
    assert "2 passing" in page
    assert "became passing grading/grading-1" in page


def test_the_dashboard_says_when_all_is_well(operator: Client, now: datetime) -> None:
    factories.passing("logsvc", now=now)

    assert "Every service that is registered or required has an instance on offer." in words_of(operator, "/admin/")


def test_the_dashboard_names_the_dependents_whose_webhooks_fail_and_the_oldest_undelivered_revision(
    operator: Client, now: datetime
) -> None:
    factories.passing("webui", now=now, requires=["logsvc"])
    factories.passing("logsvc", now=now)
    Cursor.objects.update(attempts=3, scanned_revision=2, notified_revision=2)
    Delivery.objects.create(
        at=now,
        service="webui",
        instance="webui-1",
        webhook_id="m",
        from_revision=2,
        to_revision=3,
        duration_ms=3.0,
        error="refused the connection",
    )

    page = words_of(operator, "/admin/")

    assert "revision 3 is the oldest undelivered, 1 dependent waiting" in page
    assert "webui/webui-1 3 attempts failed, 2 revisions behind: refused the connection" in page


def test_a_flood_of_missing_services_hides_no_failure(operator: Client, now: datetime) -> None:
    for number in range(100):
        factories.passing(f"web-{number:03}", now=now, requires=[f"ghost-{number:03}"])
    factories.judge(factories.passing("zoo", now=now), succeeded=False, now=now, times=3)

    page = words_of(operator, "/admin/").split("What is wrong")[1].split("Instances")[0]

    assert page.index("zoo is critical") < page.index("ghost-000 is missing")
    assert "ghost-010 is missing" in page
    assert "ghost-011" not in page
    assert "89 more are down by themselves." in page


def test_a_silent_heartbeats_worker_is_said_on_the_dashboard(operator: Client, now: datetime) -> None:
    factories.passing("logsvc", now=now)
    Heartbeat.objects.update(due_at=timezone.now().timestamp() - 60, lease_until=0)
    SignOfLife.objects.create(part=Part.HEARTBEATS, at=timezone.now().timestamp() - 60)

    page = words_of(operator, "/admin/")

    assert "No instance has been probed since" in page
    assert "What is shown below may be out of date." in page


def test_a_beat_that_does_not_tick_is_said_on_the_dashboard(operator: Client, now: datetime) -> None:
    factories.passing("logsvc", now=now)
    SignOfLife.objects.create(part=Part.HEARTBEATS, at=timezone.now().timestamp())
    SignOfLife.objects.create(part=Part.BEAT, at=timezone.now().timestamp() - 60)

    assert "Beat has not ticked since" in words_of(operator, "/admin/")


def test_services_are_filtered_by_their_state(operator: Client, now: datetime) -> None:
    factories.passing("webui", now=now, requires=["mail"])
    factories.passing("logsvc", now=now)

    for state, shown in (("down", {"mail"}), ("unmet", {"webui"}), ("degraded", {"webui"}), ("passing", {"logsvc"})):
        page = text_of(operator, f"{LIST}services/?state={state}")
        found = {
            name
            for name in ("webui", "mail", "logsvc")
            if f'data-label="Service"><a class="rc-name" href="{LIST}services/{name}/"' in page
        }
        assert found == shown, state


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("state=passing", {"a-1", "b-1"}),
        ("state=starting", {"c-1"}),
        ("state=unmet", {"b-1"}),
        ("state=flapping", {"a-1"}),
        ("zone=eu", {"a-1"}),
        ("tag=blue", {"b-1"}),
        ("tag=lue", set()),
        ("version=2", {"c-1"}),
        ("silent=never", {"c-1"}),
        ("silent=30", {"a-1", "b-1"}),
        ("service=a", {"a-1"}),
        ("q=b-", {"b-1"}),
    ],
)
def test_instances_are_found_by_what_an_operator_knows_of_them(
    operator: Client, now: datetime, query: str, shown: set[str]
) -> None:
    factories.passing("a", now=now, zone="eu")
    factories.passing("b", now=now, tags=["blue", "green"], requires=["mail"])
    factories.register("c", now=now, version="2")
    Heartbeat.objects.filter(instance__service="a").update(is_damped=True)
    Heartbeat.objects.exclude(instance__service="c").update(last_at=1.0)

    page = text_of(operator, f"{LIST}?{query}")

    assert {name for name in ("a-1", "b-1", "c-1") if f">{name}<" in page} == shown


@pytest.mark.parametrize(
    "query", ["service=webui", "service=webui/webui-1", "change=passing", "up_to=2", "author=heartbeat"]
)
def test_the_journal_is_narrowed(operator: Client, now: datetime, query: str) -> None:
    factories.passing("webui", now=now)
    factories.register("logsvc", now=now)

    page = text_of(operator, f"/admin/registry/journalentry/?{query}")

    assert "webui/webui-1" in page
    assert "logsvc/logsvc-1" not in page


@pytest.mark.parametrize("query", ["up_to=x", "up_to=-1", "up_to=%C2%B2", "change=none", "service=a/b/c", "author=%00"])
def test_a_filter_of_nonsense_is_answered(operator: Client, now: datetime, query: str) -> None:
    factories.passing("webui", now=now)

    assert operator.get(f"/admin/registry/journalentry/?{query}").status_code in (200, 302, 400)


def test_a_delivery_shows_its_payload_its_answer_and_its_attempts(operator: Client, now: datetime) -> None:
    factories.passing("webui", now=now, requires=["logsvc"])
    factories.passing("logsvc", now=now, metadata={"api_key": "hidden-value", "team": "blue"})
    made = {"service": "webui", "instance": "webui-1", "webhook_id": "m", "from_revision": 2, "to_revision": 4}
    Delivery.objects.create(at=now, duration_ms=3.0, error="answered 500", status_code=500, **made)
    last = Delivery.objects.create(at=now, duration_ms=4.0, status_code=204, answer="thanks", **made)

    page = words_of(operator, f"/admin/registry/delivery/{last.pk}/change/")

    assert "thanks" in page
    assert "failed, 500" in page
    assert "accepted, 204" in page
    assert "blue" in page
    assert "hidden-value" not in page
    assert "********" in page


@pytest.mark.parametrize(
    ("query", "is_shown"),
    [
        ("code=500", True),
        ("code=204", False),
        ("revision=3", True),
        ("revision=5", False),
        ("day=2026-11-29", True),
        ("day=2026-11-28", False),
        ("day=9999-12-31", False),
        ("day=x", False),
        ("outcome=unanswered", False),
    ],
)
def test_deliveries_are_found_by_code_revision_and_day(operator: Client, query: str, is_shown: bool) -> None:
    Delivery.objects.create(
        at=datetime(2026, 11, 29, 2, tzinfo=UTC),
        service="webui",
        instance="webui-1",
        webhook_id="m",
        from_revision=2,
        to_revision=4,
        duration_ms=3.0,
        error="answered 500",
        status_code=500,
    )

    assert ("webui/webui-1" in text_of(operator, f"/admin/registry/delivery/?{query}")) is is_shown


def test_records_are_exported_as_csv_without_secrets_and_without_formulas(operator: Client, now: datetime) -> None:
    instance = factories.passing("webui", now=now, requires=["logsvc"], zone="=cmd()")

    selected = {"action": "export_csv", "_selected_action": [str(instance.pk)]}
    asked = operator.post(f"{LIST}?service=webui", selected).content.decode()
    assert "1 instance<" in asked
    assert not LogEntry.objects.exists()
    answer = operator.post(f"{LIST}?service=webui", {**selected, "confirmed": "yes", "reason": "an audit"})

    lines = list(csv.DictReader(StringIO(answer.getvalue().decode())))
    assert [(each["name"], each["zone"]) for each in lines] == [("webui-1", "'=cmd()")]
    assert "whsec_" not in str(lines)
    assert LogEntry.objects.get().change_message == (
        "Exported 1 instance as CSV, filtered by service=webui. Reason: an audit"
    )


def test_the_settings_of_the_whole_system_are_shown_with_their_secrets_masked(
    client: Client, db: None, settings: Any, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path
    settings.SERVICE = SERVICES["grading"]
    in_force.publish()
    settings.SERVICE = SERVICES["registry"]

    page = text_of(in_role(client, "administrator", "eve"), "/admin/settings/")

    assert "PROTECTION_PERCENT" in page
    assert f"by process {os.getpid()}" in page
    assert page.index("All services") < page.index("REQUEST_THREADS") < page.index("PROTECTION_PERCENT")
    assert page.count("REQUEST_THREADS") == 1
    assert page.count("no process of it has served with this data directory") == 2
    assert settings.SECRET_KEY not in page
    assert settings.OPERATOR_PASSWORD not in page
    assert not [token for token in settings.SERVICE_TOKENS.values() if token in page]


def test_before_a_token_is_revoked_those_who_registered_with_it_are_named(client: Client, now: datetime) -> None:
    administrator = in_role(client, "administrator", "eve")
    issuing.create(name="ci", scopes=["register:*"])
    factories.passing("webui", now=now, requires=["logsvc"])
    factories.passing("logsvc", now=now)
    Instance.objects.filter(service="logsvc").update(registered_by="ci")
    address = f"/admin/tokens/token/{Token.objects.get().pk}/revoke/"

    asked = text_of(administrator, address)
    administrator.post(address, {"reason": "it leaked"})

    assert "logsvc/logsvc-1; required by webui" in asked
    entry = AuditEntry.objects.filter(kind="revoked").get()
    assert (entry.who, entry.what, entry.author) == ("ci", "revoked: it leaked", "admin:eve")


def test_the_admin_leads_to_the_web_ui_and_the_other_admins_in_the_products_colours(operator: Client) -> None:
    page = text_of(operator, "/admin/")

    assert "rollcall/tokens.css" in page
    assert "rollcall/mark.svg" in page
    for address in ("http://127.0.0.1:8000/", "http://127.0.0.1:8002/admin/", "http://127.0.0.1:8003/admin/"):
        assert f'href="{address}"' in page, address
    assert 'href="http://127.0.0.1:8001/admin/"' not in page


def test_an_empty_list_offers_nothing_that_nobody_can_do(operator: Client) -> None:
    page = text_of(operator, LIST)

    assert "There is nothing here yet." in page
    assert "Create a new item" not in page
    assert "Nothing matches." in text_of(operator, f"{LIST}?zone=nowhere")


def test_the_pages_name_an_icon_that_is_there(operator: Client) -> None:
    for page in (text_of(Client(), "/admin/login/"), text_of(operator, "/admin/")):
        icon = re.search(r'<link rel="icon" href="/static/[0-9a-f]+/([^"]+)"', page)
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
    assert "It knows revision" in page
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
    assert panels.percent(None) == "not probed"


@pytest.mark.parametrize("address", [LIST, "/admin/registry/journalentry/", "/admin/registry/delivery/"])
def test_no_list_reads_a_whole_column_for_its_filters(operator: Client, now: datetime, address: str) -> None:
    factories.passing("webui", now=now)

    with CaptureQueriesContext(connection) as queries:
        text_of(operator, address)

    assert not [each["sql"] for each in queries if "DISTINCT" in each["sql"]]


@pytest.mark.parametrize(("outcome", "shown", "hidden"), [("failed", "msg-a", "msg-b"), ("accepted", "msg-b", "msg-a")])
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


def test_an_empty_list_of_deliveries_says_what_that_means(operator: Client, now: datetime) -> None:
    page = words_of(operator, "/admin/registry/delivery/")
    filtered = words_of(operator, "/admin/registry/delivery/?outcome=failed")

    assert "No webhook was sent within the last 7 days." in page
    assert "No attempt that is kept matches these filters." in filtered
