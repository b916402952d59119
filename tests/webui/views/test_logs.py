import re

import pytest
from django.test import Client

from tests.webui.faked.world import World

MESSAGE = re.compile(r'<span class="log-message">([^<]*)</span>')
OLDER = re.compile(r'hx-get="(/logs[^"]*before[^"]*)"')


def messages(page: bytes) -> list[str]:
    return MESSAGE.findall(page.decode())


def test_the_newest_records_come_first(world: World, operator: Client) -> None:
    world.logsvc.add("first")
    world.logsvc.add("second")
    assert messages(operator.get("/logs").content) == ["second", "first"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"service": "webui"}, ["signed in"]),
        ({"level": "WARNING"}, ["disk full"]),
        ({"q": "STORED"}, ["grade stored"]),
        ({"service": "webui", "level": "ERROR"}, []),
        ({"service": "", "level": "", "q": ""}, ["disk full", "signed in", "grade stored"]),
    ],
)
def test_records_are_filtered(world: World, operator: Client, filters: dict[str, str], found: list[str]) -> None:
    world.logsvc.add("grade stored")
    world.logsvc.add("signed in", service="webui")
    world.logsvc.add("disk full", level="ERROR")
    assert messages(operator.get("/logs", filters).content) == found


def test_the_filter_keeps_what_was_chosen(world: World, operator: Client) -> None:
    world.logsvc.add("grade stored")
    page = operator.get("/logs", {"service": "grading", "level": "ERROR", "q": "x<y"}).content.decode()
    assert "<option selected>grading</option>" in page
    assert "<option selected>ERROR</option>" in page
    assert 'value="x&lt;y"' in page
    assert "No record matches" in page


def test_older_records_are_loaded_below_with_the_same_filters(world: World, operator: Client) -> None:
    for number in range(120):
        world.logsvc.add(f"record {number}", service="grading" if number % 2 else "webui")
    page = operator.get("/logs", {"service": "grading"}).content
    [older] = OLDER.findall(page.decode())
    assert len(messages(page)) == 50
    headers = {"HX-Request": "true", "HX-Target": "older"}
    part = operator.get(older.replace("&amp;", "&"), headers=headers).content
    assert messages(part) == [f"record {number}" for number in range(19, 0, -2)]
    assert b"<html" not in part
    assert not OLDER.findall(part.decode())


def test_the_filter_answers_htmx_with_the_records_alone(world: World, operator: Client) -> None:
    world.logsvc.add("grade stored")
    part = operator.get("/logs", headers={"HX-Request": "true", "HX-Target": "records"}).content
    assert messages(part) == ["grade stored"]
    assert b"<html" not in part


def test_an_exception_and_attributes_are_shown_escaped(world: World, operator: Client) -> None:
    world.logsvc.add("failed", exception="ValueError: <b>", attributes={"course": "<i>"})
    page = operator.get("/logs").content.decode()
    assert "ValueError: &lt;b&gt;" in page
    assert "&lt;i&gt;" in page


def test_a_filter_that_the_log_service_rejects_is_a_bad_request_in_words(world: World, operator: Client) -> None:
    page = operator.get("/logs", {"before": "yesterday"})
    assert page.status_code == 400
    assert "use the one that" in page.content.decode()


def test_without_the_log_service_the_page_says_so(world: World, operator: Client) -> None:
    world.down.add("logsvc")
    page = operator.get("/logs")
    assert page.status_code == 200
    assert "The log service has been down since <time" in page.content.decode()
