"""The board and the log while services come and go under an open page."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import assert_fits
from tests.browser.conftest import OpenPage
from tests.webui.faked.world import World

pytestmark = pytest.mark.browser


def shown(page: Page) -> list[str]:
    return page.locator(".log-line .log-message").all_inner_texts()


def test_the_board_follows_the_registry_and_keeps_the_focus(world: World, open_page: OpenPage) -> None:
    page = open_page("/status", "operator")
    # As on every page but the first, the times are in the reader's zone from the beginning.
    page.reload()
    page.locator("#to-webui").focus()
    page.evaluate("document.querySelector('#to-logsvc').dataset.untouched = ''")
    world.registry.become("webui", "passing", at=datetime(2026, 11, 23, 12, 9, tzinfo=UTC))
    expect(page.locator("#row-webui .board-since")).to_contain_text(re.compile(":09"))
    expect(page.locator("#to-webui")).to_be_focused()
    expect(page.locator("#to-logsvc[data-untouched]")).to_have_count(1)
    world.registry.become("grading", "critical", reason="connection refused", at=datetime.now(UTC))
    expect(page.locator("#summary")).to_contain_text(
        re.compile(r"grading is down since \S+;\s+webui\s+is degraded because of it")
    )
    expect(page.locator("#to-webui")).to_be_focused()
    world.registry.requires["billing"] = []
    world.registry.become("billing", "passing")
    expect(page.locator("#row-billing")).to_be_visible()
    world.registry.become("grading", "passing")
    expect(page.locator("#summary")).to_contain_text("All 4 services are passing")


def test_the_board_of_five_hundred_stays_small_and_searchable(world: World, open_page: OpenPage) -> None:
    for number in range(500):
        world.registry.requires[f"s{number:03}"] = []
        world.registry.become(f"s{number:03}", "critical" if number == 7 else "passing")
    page = open_page("/status", "operator")
    expect(page.locator(".board-row")).to_have_count(1)
    page.get_by_role("searchbox").press_sequentially("s12")
    expect(page.locator(".board-row")).to_have_count(10)
    expect(page).to_have_url(re.compile(r"q=s12"))
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.get_by_role("searchbox").fill("")
    page.get_by_role("link", name="Show 502 services that are passing").click()
    expect(page.locator(".board-row")).to_have_count(101)
    page.get_by_role("link", name="402 more are not shown: show more").click()
    expect(page.locator(".board-row")).to_have_count(201)


@pytest.mark.parametrize("width", [320, 1280])
def test_the_longest_names_and_reasons_stay_readable_and_on_the_page(
    world: World, open_page: OpenPage, width: int
) -> None:
    service, arabic = "s" * 63, "\u0641\u0634\u0644 \u0627\u0644\u0642\u0631\u0635"
    world.registry.requires[service] = []
    for number, reason in ((1, "r" * 500), (2, f"{arabic} \N{GRINNING FACE}")):
        world.registry.become(service, "critical", reason=reason, number=number)
        instance = world.registry.instances[service, f"{service}-{number}"]
        instance["tags"] = [f"{at:02}{'t' * 62}" for at in range(32)]
        instance["version"], instance["zone"] = "W" * 100, "z" * 100
    page = open_page("/status", "operator", viewport={"width": width, "height": 900})
    for address in ("/status", f"/services/{service}", f"/services/{service}/instances/{service}-1"):
        page.goto(address)
        page.wait_for_load_state("networkidle")
        expect(page.get_by_text(service).first).to_be_visible()
        assert_fits(page)
        # A text from right to left turns nothing around it.
        assert page.evaluate("getComputedStyle(document.body).direction") == "ltr"


def test_names_stay_in_their_boxes_and_changes_in_their_column(world: World, open_page: OpenPage) -> None:
    names = ["nowhere-to-be-found", "a-service-named-after-all-that-it-does"]
    world.registry.requires |= {"webui": ["grading", *names]} | {name: [] for name in names}
    world.registry.become("grading", "passing", change="maintenance-ended")
    page = open_page("/graph", "operator")
    boxes = page.evaluate("""() => [...document.querySelectorAll(".graph a.node")].map(node =>
        [node.querySelector("rect"), node.querySelector("text")].map(each => each.getBoundingClientRect()))""")
    assert len(boxes) == 5
    assert all(name["right"] <= box["right"] for box, name in boxes)
    page.goto("/services/grading")
    expect(page.locator(".events .badge").first).to_be_visible()
    lines = page.evaluate("""() => [...document.querySelectorAll(".events li")].map(line =>
        [...line.children].map(each => each.getBoundingClientRect()))""")
    assert lines
    assert all(change["right"] <= words["left"] for _, change, words in lines)


def test_every_provider_goes_and_comes_back_under_an_open_page(world: World, open_page: OpenPage) -> None:
    world.logsvc.add("grade stored")
    service = open_page("/services/grading", "operator")
    board = open_page("/status", "operator")
    logs = open_page("/logs", "operator")
    panel = service.locator("#panel-logs")
    expect(panel).to_contain_text("grade stored")
    world.down |= {"logsvc", "registry"}
    expect(panel).to_contain_text("The log service has been down since")
    expect(panel).to_contain_text("grade stored")
    expect(service.locator("#panel-instances")).to_contain_text("The registry has been down since")
    expect(board.locator("#summary")).to_contain_text("Below is what it said at")
    expect(board.locator("#row-grading")).to_be_visible()
    expect(logs.locator("#tail")).to_contain_text("has been down since")
    logs.goto("/logs?q=grade")
    expect(logs.locator("#found")).to_contain_text("The log records cannot be shown")
    world.down.clear()
    expect(panel).not_to_contain_text("down since")
    expect(service.locator("#panel-instances")).not_to_contain_text("down since")
    expect(board.locator("#summary")).to_contain_text("All 3 services are passing")
    expect(logs.locator(".log-line")).to_have_count(1)


def test_a_board_that_cannot_refresh_says_so(world: World, open_page: OpenPage) -> None:
    page = open_page("/status", "operator")
    page.route("**/status?*", lambda route: route.abort())
    expect(page.locator("#stale")).to_be_visible()
    page.unroute("**/status?*")
    expect(page.locator("#stale")).to_be_hidden()


def test_the_tail_shows_each_line_once_across_an_outage_of_the_log_service(world: World, open_page: OpenPage) -> None:
    world.logsvc.add("line 0")
    page = open_page("/logs", "operator")
    for number in range(1, 60):
        if number == 20:
            world.down.add("logsvc")
            expect(page.locator("#tail")).to_contain_text("has been down since")
        if number == 40:
            world.down.clear()
        world.logsvc.add(f"line {number}")
    expect(page.locator(".log-line")).to_have_count(60)
    assert shown(page) == [f"line {number}" for number in reversed(range(60))]


def test_the_tail_never_moves_what_somebody_reads(world: World, open_page: OpenPage) -> None:
    for number in range(55):
        world.logsvc.add(f"old {number}")
    page = open_page("/logs", "operator")
    page.mouse.move(640, 600)
    page.mouse.wheel(0, 500)
    page.wait_for_function("scrollY > 200")
    before = page.locator("#r-20").bounding_box()
    for number in range(5):
        world.logsvc.add(f"new {number}")
    button = page.get_by_role("button", name="5 new")
    expect(button).to_be_visible()
    assert page.locator("#r-20").bounding_box() == before
    expect(page.locator(".log-line")).to_have_count(55)
    page.keyboard.press("n")
    expect(page.locator(".log-line")).to_have_count(60)
    page.evaluate("scrollTo(0, 0)")
    page.keyboard.press("p")
    expect(page.get_by_role("checkbox", name="Pause")).to_be_checked()
    world.logsvc.add("while paused")
    expect(page.get_by_role("button", name="1 new")).to_be_visible()
    page.keyboard.press("p")
    expect(page.locator(".log-line")).to_have_count(61)


def test_a_flood_leaves_a_mark_and_at_most_a_thousand_rows(world: World, open_page: OpenPage) -> None:
    world.logsvc.add("before")
    page = open_page("/logs", "operator")
    page.keyboard.press("p")
    for number in range(1500):
        world.logsvc.add(f"flood {number}")
    page.get_by_role("button", name="100+ new").click()
    expect(page.locator(".log-gap")).to_be_visible()
    expect(page.locator(".log-message").first).to_have_text("flood 1499")
    assert page.locator("#log-lines > *").count() <= 1000


def test_a_row_opens_narrows_and_is_copied(world: World, open_page: OpenPage) -> None:
    world.logsvc.add("no invoice", level="ERROR", attributes={"order": 7, "exception.stacktrace": "ValueError: no"})
    world.logsvc.add("invoice", attributes={"order": 8})
    page = open_page("/logs", "operator")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator(".log-line summary").last.click()
    expect(page.locator(".log-stack")).to_contain_text("ValueError")
    page.get_by_role("button", name="Copy as JSON").click()
    page.wait_for_function("navigator.clipboard.readText().then((text) => JSON.parse(text).message === 'no invoice')")
    page.get_by_role("link", name="7", exact=True).click()
    expect(page).to_have_url("/logs?q=attr.order%3A7")
    expect(page.locator(".log-line")).to_have_count(1)
    page.locator("#q").fill("ser")
    expect(page.locator("#q-options option")).to_have_count(1)
    page.locator("#q").fill("invoice")
    page.keyboard.press("Enter")
    expect(page.locator(".log-message mark")).to_have_count(2)
    page.get_by_label("Name for this search").fill("invoices")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="invoices").click()
    expect(page).to_have_url("/logs?q=invoice")
    page.get_by_role("button", name="Delete invoices").click()
    expect(page.get_by_role("link", name="invoices")).to_have_count(0)
    page.goto("/logs")
    page.locator(".histogram a").first.click()
    expect(page.locator("#log-form [name=from]")).not_to_have_value("")
