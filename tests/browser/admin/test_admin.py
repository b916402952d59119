import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.admin.conftest import OpenAdmin

pytestmark = pytest.mark.browser
LIST = "/admin/registry/instance/"
PAGES = {
    "/admin/": "viewer",
    f"{LIST}services/": "viewer",
    f"{LIST}services/target/": "operator",
    LIST: "operator",
    f"{LIST}1/change/": "operator",
    "/admin/registry/journalentry/": "viewer",
    "/admin/registry/delivery/": "operator",
    "/admin/registry/delivery/1/change/": "viewer",
    f"{LIST}operations/deregister/?target=logsvc/logsvc-1": "operator",
    f"{LIST}settings/": "administrator",
    f"{LIST}two-step/": "viewer",
    "/admin/tokens/token/": "administrator",
    "/admin/admin/logentry/": "operator",
}
# The theme's own, of which its templates give us no hold: toggles without names, and headings that skip a level.
THEMES_OWN = {
    "heading-order",
    "page-has-heading-one",
    "region",
    "landmark-one-main",
    "landmark-unique",
    "scrollable-region-focusable",
}


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found if each["id"] not in THEMES_OWN]


def operate(open_admin: OpenAdmin, title: str, instance: str, **given: str) -> Page:
    """From the instance's page through the confirmation to what is said of it."""
    page = open_admin(f"{LIST}?service=target&q={instance}")
    page.get_by_role("link", name=instance, exact=True).click()
    page.get_by_role("link", name=f"{title} ...").click()
    expect(page.get_by_text("Required by grading.")).to_be_visible()
    for name, value in given.items():
        page.locator(f"#id_{name}").fill(value)
    page.get_by_role("button", name=title).click()
    return page


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 375)])
def test_every_page_is_accessible_and_fits(open_admin: OpenAdmin, address: str, scheme: str, width: int) -> None:
    page = open_admin(address, PAGES[address], color_scheme=scheme, viewport={"width": width, "height": 800})

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []


def test_the_page_for_signing_in_is_accessible(open_admin: OpenAdmin) -> None:
    assert violations(open_admin("/admin/login/", None)) == []


def test_the_dashboard_says_what_is_wrong_and_refreshes_itself(open_admin: OpenAdmin) -> None:
    page = open_admin("/admin/", "viewer")

    expect(page.get_by_text("ledger is missing")).to_be_visible()
    stamp = page.get_by_text(re.compile("As of .* refreshed"))
    before = stamp.inner_text()
    expect(stamp).not_to_have_text(before)


@pytest.mark.parametrize(
    ("title", "instance", "given", "said"),
    [
        ("Probe now", "probe", {"reason": "looks slow"}, "Due to be probed now: 1 of 1."),
        ("Begin maintenance", "maintenance", {"reason": "new disk", "minutes": "5"}, "In maintenance until"),
        ("End maintenance", "end-maintenance", {"reason": "done"}, "Ended the maintenance of target/end-maintenance."),
        ("Drain", "drain", {"seconds": "60", "reason": "moving"}, "Draining for 60 s"),
        ("Redeliver", "replay", {"since": "1", "reason": "lost"}, "The changes since revision 1 are delivered again"),
        ("Resync", "resync", {"reason": "lost"}, "Asked to read all its providers again: target/resync."),
        ("Send a test notification", "trial", {"reason": "new"}, "target/trial failed"),
        ("Rotate secret", "rotate-secret", {"reason": "leaked"}, "Copy it into the dependent's configuration now"),
        ("Deregister", "deregister", {"reason": "replaced"}, "Deregistered: target/deregister."),
    ],
)
def test_each_operation_is_confirmed_done_and_logged(
    open_admin: OpenAdmin, title: str, instance: str, given: dict[str, str], said: str
) -> None:
    page = operate(open_admin, title, instance, **given)

    expect(page.get_by_text(said).first).to_be_visible()
    page.goto(f"/admin/admin/logentry/?q=target/{instance}")
    expect(page.get_by_role("row").filter(has_text="operator").filter(has_text=given["reason"])).to_have_count(1)


def test_a_list_is_exported_as_csv(open_admin: OpenAdmin) -> None:
    page = open_admin(f"{LIST}?service=logsvc")
    page.locator("input.action-select").first.check()
    page.locator("select[name=action]").select_option("export_csv")
    with page.expect_download() as download:
        page.get_by_role("button", name="Run").click()
    assert "logsvc-1" in download.value.path().read_text()


def test_an_administrator_makes_a_token_that_is_shown_once_and_revokes_it(open_admin: OpenAdmin) -> None:
    page = open_admin("/admin/tokens/token/add/", "administrator")
    page.locator("#id_name").fill("deploys")
    page.locator("#id_scopes").fill("read")
    page.get_by_role("button", name="Save", exact=True).click()
    token = page.get_by_text(re.compile("^rct_")).inner_text()

    page.goto("/admin/tokens/token/?q=deploys")
    expect(page.get_by_text(token)).to_have_count(0)
    page.get_by_role("link", name="deploys").click()
    page.get_by_role("link", name="Revoke").click()
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("The token deploys is revoked.")).to_be_visible()


@pytest.mark.parametrize("role", ["viewer", "operator", "administrator"])
def test_each_role_is_offered_what_it_may_do(open_admin: OpenAdmin, role: str) -> None:
    page = open_admin(f"{LIST}services/logsvc/", role)

    expect(page.get_by_role("link", name="Begin maintenance ...")).to_have_count(0 if role == "viewer" else 1)
    expect(page.get_by_role("link", name="Tokens")).to_have_count(1 if role == "administrator" else 0)
    expect(page.get_by_role("link", name="Operations log")).to_have_count(0 if role == "viewer" else 1)
