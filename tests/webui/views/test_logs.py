import html
import json
import re

import pytest
from django.test import Client
from django.utils.html import strip_tags

from tests.webui.conftest import SignIn
from tests.webui.faked.world import World
from webui.models import SavedSearch
from webui.roles import Role

ROW = re.compile(r'<span class="log-message">(.*?)</span></summary>')
HTMX = {"HX-Request": "true"}


def messages(page: bytes) -> list[str]:
    return [strip_tags(found) for found in ROW.findall(page.decode())]


def test_the_newest_records_come_first_one_line_each(world: World, operator: Client) -> None:
    world.logsvc.add("first")
    world.logsvc.add("second")
    assert messages(operator.get("/logs").content) == ["second", "first"]


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ({"q": "service:webui"}, ["signed in"]),
        ({"q": "level>=warn"}, ["disk full"]),
        ({"service": "webui", "level": "ERROR"}, []),
        ({"q": "STORED"}, ["grade stored"]),
        ({"q": "-stored"}, ["disk full", "signed in"]),
    ],
)
def test_records_are_searched(world: World, operator: Client, address: dict[str, str], found: list[str]) -> None:
    world.logsvc.add("grade stored")
    world.logsvc.add("signed in", service="webui")
    world.logsvc.add("disk full", level="ERROR")
    assert messages(operator.get("/logs", address).content) == found


def test_the_match_is_marked_and_everything_is_escaped(world: World, operator: Client) -> None:
    world.logsvc.add("<b>disk</b> full")
    page = operator.get("/logs", {"q": "disk level>=info"}).content.decode()
    assert "&lt;b&gt;<mark>disk</mark>&lt;/b&gt; full" in page


def test_older_records_are_loaded_below_with_the_same_search(world: World, operator: Client) -> None:
    for number in range(100):
        world.logsvc.add(f"record {number}")
    page = operator.get("/logs", {"q": "record", "range": "7d"}).content.decode()
    match = re.search(r'hx-get="(/logs\?[^"]*cursor[^"]*)"', page)
    assert match
    older = operator.get(match[1].replace("&amp;", "&"), headers=HTMX | {"HX-Target": "older"})
    assert messages(older.content)[-1] == "record 0"
    assert "<html" not in older.content.decode()


def test_a_query_that_the_log_service_rejects_is_explained_beside_the_box(world: World, operator: Client) -> None:
    page = operator.get("/logs", {"q": "service:"})
    assert page.status_code == 422
    assert "The query ends here." in page.content.decode()


def test_without_the_log_service_the_page_says_so_and_tries_again(world: World, operator: Client) -> None:
    world.down.add("logsvc")
    page = operator.get("/logs")
    assert page.status_code == 200
    assert "The log service has been down since" in page.content.decode()
    assert 'hx-trigger="every 3s"' in page.content.decode()


def test_a_long_name_in_a_facet_breaks_after_its_dots(world: World, operator: Client) -> None:
    world.logsvc.add("stored", service="<team>.billing")
    assert ">&lt;team&gt;.<wbr>billing</span>" in operator.get("/logs/panels/facets", headers=HTMX).content.decode()


def test_the_histogram_and_the_facets_lead_to_their_records(world: World, operator: Client) -> None:
    world.logsvc.add("disk full", level="ERROR")
    histogram = operator.get("/logs/panels/histogram", {"q": "disk"}, headers=HTMX).content.decode()
    assert 'href="/logs?q=disk&amp;from=2026-11-23T12%3A00%3A00Z&amp;to=2026-11-23T12%3A01%3A00Z"' in histogram
    facets = operator.get("/logs/panels/facets", {"q": "disk"}, headers=HTMX).content.decode()
    assert 'href="/logs?q=disk+level%3Aerror"' in facets
    assert 'href="/logs?q=disk+-service%3Agrading"' in facets
    assert operator.get("/logs/panels/other").status_code == 404


def test_counts_are_kept_while_the_log_service_is_away(world: World, operator: Client) -> None:
    world.logsvc.add("disk full")
    operator.get("/logs/panels/histogram")
    world.down.add("logsvc")
    for panel in ("histogram", "facets"):
        assert operator.get(f"/logs/panels/{panel}").status_code == 200


def test_the_tail_counts_what_is_new_and_leaves_it_with_the_log_service(world: World, operator: Client) -> None:
    world.logsvc.add("old")
    assert "Live" in operator.get("/logs/tail", {"cursor": "1"}).content.decode()
    for number in range(120):
        world.logsvc.add(f"new {number}")
    bar = operator.get("/logs/tail", {"cursor": "1"}).content.decode()
    assert "100+ new" in " ".join(strip_tags(bar).split())
    assert "cursor=1" in bar


def test_what_is_new_is_shown_once_and_the_tail_goes_on_after_it(world: World, operator: Client) -> None:
    world.logsvc.add("old")
    world.logsvc.add("one")
    world.logsvc.add("two")
    answer = operator.get("/logs/arrivals", {"cursor": "1"}, headers=HTMX)
    assert messages(answer.content) == ["two", "one"]
    assert "cursor=3" in answer.content.decode()
    assert messages(operator.get("/logs/arrivals", {"cursor": "3"}, headers=HTMX).content) == []


def test_a_tail_keeps_its_place_while_the_log_service_is_away(world: World, operator: Client) -> None:
    world.down.add("logsvc")
    for address in ("/logs/tail", "/logs/arrivals"):
        page = operator.get(address, {"cursor": "7"}).content.decode()
        assert "cursor=7" in page
        assert "has been down since" in page


def test_more_than_a_page_holds_is_left_out_with_a_mark(world: World, operator: Client) -> None:
    for number in range(1100):
        world.logsvc.add(f"record {number}")
    page = operator.get("/logs/arrivals", {"cursor": "0"}, headers=HTMX)
    assert messages(page.content)[0] == "record 1099"
    assert "log-gap" in page.content.decode()
    assert "cursor=1100" in page.content.decode()


def test_a_row_opens_to_its_attributes_and_stack_trace(world: World, operator: Client) -> None:
    trace = "Traceback:\n  <module>"
    attributes = {"order": 7, "deep": {"a": [1]}, "exception.stacktrace": trace}
    world.logsvc.add("failed", level="ERROR", attributes=attributes, trace_id="ab" * 16)
    page = operator.get("/logs/1", {"q": "failed"}, headers=HTMX).content.decode()
    assert 'href="/logs?q=failed+attr.order%3A7"' in page
    assert "{&quot;a&quot;:[1]}" in page
    assert "&lt;module&gt;" in page
    assert 'href="/services/grading"' in page
    copied = re.search(r'<pre id="json-1" hidden>(.*?)</pre>', page, re.DOTALL)
    assert copied
    assert json.loads(html.unescape(copied[1]))["attributes"]["order"] == 7


def test_a_line_leads_to_the_health_of_the_instance_that_wrote_it_and_back(world: World, operator: Client) -> None:
    world.logsvc.add("stored")
    world.logsvc.add("from elsewhere", instance="laptop-4711")
    world.logsvc.add("from a stranger", service="billing")
    [registered, other, stranger] = (
        operator.get(f"/logs/{number}", headers=HTMX).content.decode() for number in (1, 2, 3)
    )
    assert 'href="/services/grading/instances/grading-1"' in registered
    assert "/instances/" not in other
    assert "/instances/" not in stranger
    health = operator.get("/services/grading/instances/grading-1").content.decode()
    assert 'href="/logs?q=service:grading+instance:grading-1"' in health


def test_a_line_is_shown_without_the_registry(world: World, operator: Client) -> None:
    world.logsvc.add("stored")
    world.down.add("registry")
    page = operator.get("/logs/1", headers=HTMX)
    assert page.status_code == 200
    assert "/instances/" not in page.content.decode()


def test_a_record_has_an_address_with_what_stood_around_it(world: World, operator: Client) -> None:
    for name in ("before", "here", "after"):
        world.logsvc.add(name)
    page = operator.get("/logs/2").content.decode()
    assert "What the same instance wrote around it" in page
    assert messages(page.encode()) == ["before", "after"]
    assert operator.get("/logs/99").status_code == 404


def test_the_box_completes_fields_and_their_values(world: World, operator: Client) -> None:
    world.logsvc.add("x", service="billing", logger="billing.orders")

    def offered(query: str) -> list[str]:
        page = operator.get("/logs/completions", {"q": query}).content.decode()
        return re.findall(r'value="([^"]*)"', page)

    assert offered("disk ser") == ["disk service:"]
    assert offered("-service:b") == ["-service:billing"]
    assert offered("disk logger:bill") == ["disk logger:billing.orders"]
    assert "level&gt;=error" in offered("level>=")


def test_a_search_is_saved_under_a_name_and_deleted_by_its_owner_alone(
    world: World, operator: Client, sign_in: SignIn
) -> None:
    operator.post("/logs/searches", {"q": "level>=error", "range": "1h", "name": "errors"})
    operator.post("/logs/searches", {"q": "level>=error", "range": "7d", "name": "errors"})
    [saved] = SavedSearch.objects.all()
    assert saved.address == "q=level%3E%3Derror&range=7d"
    assert "errors</a>" in operator.get("/logs").content.decode()
    other = sign_in("other", Role.OPERATOR)
    assert other.post(f"/logs/searches/{saved.pk}/delete").status_code == 404
    operator.post(f"/logs/searches/{saved.pk}/delete")
    assert not SavedSearch.objects.exists()


@pytest.mark.parametrize("address", ["/logs", "/logs/1", "/logs/tail", "/logs/arrivals", "/logs/panels/facets"])
def test_nobody_but_operators_sees_records(world: World, teacher: Client, student: Client, address: str) -> None:
    assert {client.get(address).status_code for client in (teacher, student)} == {403}
