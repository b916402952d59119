"""What every page owes its readers, and how the pages that change do so."""

from datetime import UTC, datetime

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.webui.faked.world import World

pytestmark = pytest.mark.browser

PAGES = {
    "sign-in": ("/sign-in", None),
    "courses": ("/courses", "teacher"),
    "status": ("/status", "operator"),
    "logs": ("/logs", "operator"),
    "not-found": ("/nothing", "teacher"),
    "forbidden": ("/logs", "student"),
}


def fill(world: World) -> None:
    for level in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
        world.logsvc.add("something happened", level=level, exception="ValueError", attributes={"course": "math-1"})


def assert_accessible(page: Page) -> None:
    results = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]})
    assert results.violations_count == 0, results.generate_report()


def assert_fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_accessible_and_fits(world: World, open_page: OpenPage, name: str, scheme: str) -> None:
    fill(world)
    address, person = PAGES[name]
    page = open_page(address, person, color_scheme=scheme)
    expect(page.locator("html")).to_have_attribute("data-bs-theme", scheme)
    assert_accessible(page)
    page.set_viewport_size({"width": 375, "height": 800})
    assert_fits(page)
    assert_accessible(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible_while_everything_is_down(world: World, open_page: OpenPage, scheme: str) -> None:
    world.registry.become("grading", "critical", reason="connection refused")
    world.registry.become("logsvc", "maintenance")
    page = open_page("/status", color_scheme=scheme)
    expect(page.locator("#part-summary")).to_contain_text("is down")
    assert_accessible(page)
    world.down |= {"grading", "logsvc", "registry"}
    for address in ("/courses", "/logs", "/status"):
        page.goto(address)
        expect(page.locator("main")).to_contain_text("has been down since")
        assert_accessible(page)


def test_a_person_signs_in_and_out(open_page: OpenPage) -> None:
    page = open_page("/courses", None)
    page.get_by_label("Username").fill("teacher")
    page.get_by_label("Password").fill("only-for-tests")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Courses")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_first_tab_leads_past_the_navigation(open_page: OpenPage) -> None:
    page = open_page("/courses")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_chosen_colours_last(open_page: OpenPage) -> None:
    page = open_page("/courses", color_scheme="light")
    page.get_by_role("button", name="Use the dark colours").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.goto("/status")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.get_by_role("button", name="Use the light colours").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")


def test_without_scripts_the_filters_are_plain_forms(world: World, open_page: OpenPage) -> None:
    fill(world)
    page = open_page("/logs", java_script_enabled=False)
    page.get_by_label("Level from").select_option("ERROR")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator(".log > li")).to_have_count(2)


def test_logs_are_filtered_and_older_ones_loaded_in_place(world: World, open_page: OpenPage) -> None:
    for number in range(120):
        world.logsvc.add(f"record {number}", level="INFO" if number % 2 else "ERROR")
    page = open_page("/logs")
    page.get_by_role("link", name="Load older").click()
    expect(page.locator(".log-message")).to_have_count(100)
    page.get_by_label("Level from").select_option("ERROR")
    expect(page.locator(".log-message")).to_have_count(50)
    page.get_by_role("link", name="Load older").click()
    expect(page.locator(".log-message")).to_have_count(60)
    expect(page.get_by_role("link", name="Load older")).to_have_count(0)


def test_the_status_follows_the_registry_and_only_changes_what_changed(world: World, open_page: OpenPage) -> None:
    page = open_page("/status", "operator")
    page.evaluate("document.querySelector('#part-service-logsvc section').dataset.untouched = ''")
    world.registry.become("grading", "critical", reason="connection refused", at=datetime.now(UTC))
    expect(page.locator("#part-summary")).to_contain_text("grading is down; webui is degraded because of it")
    expect(page.locator("#part-service-grading")).to_contain_text("connection refused")
    expect(page.locator("#part-service-logsvc [data-untouched]")).to_have_count(1)
    world.registry.requires["billing"] = []
    world.registry.become("billing", "passing")
    expect(page.locator("#part-service-billing")).to_contain_text("billing-1")


def test_a_status_page_that_cannot_refresh_says_so(open_page: OpenPage) -> None:
    page = open_page("/status")
    page.route("**/status?*", lambda route: route.abort())
    expect(page.locator("#stale")).to_be_visible()
    page.unroute("**/status?*")
    expect(page.locator("#stale")).to_be_hidden()
