"""Duties of every page; pages of grades have files of their own."""

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import assert_accessible, assert_accessible_and_fits
from tests.browser.conftest import OpenPage
from tests.webui.faked.world import World

pytestmark = pytest.mark.browser

PAGES = {
    "operator": [
        *("/status", "/services/grading", "/services/grading/instances/grading-1", "/graph"),
        *("/logs?q=happened", "/logs/3", "/logs?q=service:"),
        *("/alerts", "/alerts/channels/new", "/public/settings"),
    ],
    "teacher": ["/status?group=zone", "/nothing"],
    "student": ["/change-password", "/logs"],
}
# Of every role, which pages open and which are refused.
OPENED = {
    "operator": {"/status", "/graph", "/services/grading", "/logs", "/alerts", "/public/settings"},
    "teacher": {"/status", "/graph", "/services/grading", "/courses"},
    "assistant": {"/status", "/graph", "/services/grading", "/courses"},
    "student": {"/courses"},
}


def fill(world: World) -> None:
    for level in ("DEBUG", "INFO", "WARN", "ERROR", "FATAL"):
        attributes = {"course": "math-1", "exception.stacktrace": "ValueError: no"}
        world.logsvc.add("something happened", level=level, attributes=attributes)
    world.registry.become("logsvc", "critical", reason="connection refused")


def test_every_page_is_accessible_and_fits(world: World, open_page: OpenPage) -> None:
    fill(world)
    for person, addresses in PAGES.items():
        page = open_page("/change-password", person)
        for address in addresses:
            page.goto(address)
            for panel in page.locator("[hx-trigger^=load]").all():
                expect(panel).not_to_have_text("…")
            assert_accessible_and_fits(page)
        page.close()
    page = open_page("/logs", "operator")
    page.locator(".log-line summary").first.click()
    expect(page.locator(".log-stack")).to_be_visible()
    page.get_by_role("button", name="operator").click()
    assert_accessible_and_fits(page)
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    assert_accessible_and_fits(page)


def test_every_page_is_accessible_while_everything_is_down(world: World, open_page: OpenPage) -> None:
    page = open_page("/status", "operator")
    expect(page.locator("#summary")).to_contain_text("All 3 services are passing")
    world.down |= {"grading", "logsvc", "registry"}
    for address in ("/logs", "/status", "/services/grading", "/graph", "/services/grading/instances/grading-1"):
        page.goto(address)
        expect(page.locator("main")).to_contain_text("has been down since")
        assert_accessible_and_fits(page)


def test_the_public_page_is_accessible(world: World, open_page: OpenPage) -> None:
    operator = open_page("/public/settings", "operator")
    operator.get_by_label("Show the public page").check()
    operator.get_by_label("webui").check()
    operator.get_by_role("button", name="Save").click()
    expect(operator.locator("#toasts")).to_contain_text("saved")
    page = open_page("/public", None)
    expect(page.locator(".public-row")).to_have_count(1)
    assert_accessible_and_fits(page)
    operator.get_by_label("Show the public page").uncheck()
    operator.get_by_role("button", name="Save").click()
    expect(operator.locator("#toasts")).to_contain_text("saved")
    answer = page.goto("/public?uncached")
    assert answer
    assert answer.status == 404


def test_each_role_opens_its_own_pages_and_no_others(world: World, open_page: OpenPage) -> None:
    for person, opened in OPENED.items():
        page = open_page("/", person)
        # Asked for without the styles, scripts and panels of each: the page's own are looked at elsewhere.
        statuses = {address: page.request.get(address).status for address in set().union(*OPENED.values())}
        assert {address for address, status in statuses.items() if status == 200} == opened
        links = page.locator(".frame-pages a")
        for number in range(links.count()):
            links.nth(number).click()
            expect(links.nth(number)).to_have_attribute("aria-current", "page")
        page.close()


def test_a_person_signs_in_and_out_and_the_way_back_shows_nothing(world: World, open_page: OpenPage) -> None:
    page = open_page("/sign-in", None)
    assert_accessible(page)
    page.get_by_label("Username").fill("operator")
    page.get_by_label("Password").fill("only-for-tests")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Status")).to_be_visible()
    page.get_by_role("button", name="operator").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_text("logsvc")).to_have_count(0)


def test_the_chosen_colours_last_and_the_systems_come_back(world: World, open_page: OpenPage) -> None:
    page = open_page("/graph", "operator", color_scheme="light", java_script_enabled=False)
    body = page.locator("body")
    light, dark = "rgb(245, 246, 250)", "rgb(18, 21, 28)"
    expect(body).to_have_css("background-color", light)
    page.get_by_role("button", name="operator").click()
    page.get_by_role("button", name="Dark").click()
    expect(page).to_have_url("/graph")
    expect(body).to_have_css("background-color", dark)
    page.goto("/alerts")
    expect(body).to_have_css("background-color", dark)
    page.get_by_role("button", name="operator").click()
    page.get_by_role("button", name="As the system").click()
    expect(body).to_have_css("background-color", light)
    page.emulate_media(color_scheme="dark")
    expect(body).to_have_css("background-color", dark)


def test_the_keyboard_leads_everywhere(world: World, open_page: OpenPage) -> None:
    page = open_page("/status", "operator")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("g l")
    expect(page).to_have_url("/status?q=g%20l&state=&group=state")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("g")
    page.keyboard.press("d")
    expect(page.get_by_role("heading", name="Dependencies")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("l")
    expect(page.get_by_role("heading", name="Logs", exact=True)).to_be_attached()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_times_are_in_the_readers_zone_with_the_exact_one_beside(world: World, open_page: OpenPage) -> None:
    page = open_page("/status", "operator", timezone_id="Asia/Tokyo")
    moment = page.locator(".events time").first
    expect(moment).to_have_text("23 Nov, 21:00")
    exact = "Monday, 23 November 2026 at 21:00:00 UTC+0900 (2026-11-23T12:00:00.000Z)"
    expect(moment).to_have_attribute("title", exact)


def test_without_scripts_lists_searches_and_operations_work(world: World, open_page: OpenPage) -> None:
    fill(world)
    page = open_page("/status", "operator", java_script_enabled=False)
    page.locator("#q").fill("grad")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".board-row")).to_have_count(1)
    page.get_by_role("link", name="grading", exact=True).first.click()
    page.locator("#panel-instances").get_by_role("link", name="Show").click()
    page.get_by_role("link", name="grading-1").click()
    page.get_by_role("button", name="Probe now").click()
    expect(page.locator("#toasts")).to_contain_text("is probed now")
    page.goto("/logs")
    page.locator("#q").fill("level>=error")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".log-line")).to_have_count(2)
    page.locator(".log-time").first.click()
    expect(page.locator(".log-stack")).to_contain_text("ValueError")
