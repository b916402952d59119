import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import assert_fits, assert_page_of_admin_is_accessible_and_fits
from tests.browser.admin.conftest import OpenAdmin, visit
from tests.browser.admin.seed import OPERATIONS, PASSWORD

pytestmark = pytest.mark.browser
LIST = "/admin/registry/instance/"
PAGES = {
    "viewer": [
        "/admin/",
        f"{LIST}services/",
        "/admin/registry/journalentry/",
        "/admin/registry/journalentry/1/change/",
        "/admin/registry/delivery/1/change/",
        "/admin/two-step/",
    ],
    "operator": [
        f"{LIST}services/target/",
        LIST,
        f"{LIST}1/change/",
        "/admin/registry/delivery/",
        "/admin/registry/maintenance/",
        f"{LIST}operations/deregister/?target=logsvc/logsvc-1",
        "/admin/admin/logentry/",
    ],
    "administrator": [
        "/admin/settings/",
        "/admin/tokens/token/",
        "/admin/tokens/token/add/",
        "/admin/tokens/token/1/revoke/",
        "/admin/tokens/auditentry/",
        "/admin/auth/user/",
        "/admin/auth/user/1/change/",
        "/admin/sessions/",
        "/admin/sessions/1/end/",
        "/admin/auth/group/1/change/",
    ],
    None: ["/admin/login/"],
}


@pytest.mark.parametrize("role", PAGES)
def test_every_page_is_accessible_and_fits_light_and_dark_wide_and_narrow(
    open_admin: OpenAdmin, role: str | None
) -> None:
    page = open_admin("/admin/login/", role, reduced_motion="reduce")
    for address in PAGES[role]:
        visit(page, address)
        assert_page_of_admin_is_accessible_and_fits(page)


def test_a_long_name_pushes_nothing_off_the_page(open_admin: OpenAdmin) -> None:
    page = open_admin("/admin/login/", "operator", reduced_motion="reduce")
    page.set_viewport_size({"width": 1440, "height": 900})
    visit(page, f"{LIST}services/")
    assert_fits(page)
    expect(page.get_by_role("columnheader", name="Why")).to_be_in_viewport()
    visit(page, LIST)
    expect(page.get_by_role("columnheader", name="State")).to_be_in_viewport()
    visit(page, "/admin/")
    places = page.evaluate("""() => [...document.querySelectorAll(".rc-events li")].map(line =>
        [".rc-state", ".rc-name"].map(each => line.querySelector(each).getBoundingClientRect()))""")
    assert places
    assert all(state["right"] <= name["left"] for state, name in places)


def test_an_operator_signs_in_with_a_password(open_admin: OpenAdmin) -> None:
    page = open_admin("/admin/", None)
    page.get_by_label("Username").fill("operator")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What is wrong")).to_be_visible()
    page.context.clear_cookies()


def test_the_dashboard_says_what_is_wrong_and_refreshes_itself(open_admin: OpenAdmin) -> None:
    page = open_admin("/admin/login/", "viewer")
    page.clock.install()
    visit(page, "/admin/")
    expect(page.get_by_text("ledger is missing")).to_be_visible()
    page.evaluate("document.querySelector('#rc-causes').id = 'old'")
    page.clock.run_for(11_000)
    expect(page.locator("#rc-causes")).to_be_visible()
    expect(page.locator("#old")).to_have_count(0)


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
    page = open_admin(f"{LIST}{OPERATIONS.index(instance) + 1}/change/")
    page.get_by_role("link", name=f"{title} ...").click()
    expect(page.get_by_text("Required by grading.")).to_be_visible()
    for name, value in given.items():
        page.locator(f"#id_{name}").fill(value)
    page.get_by_role("button", name=title).click()

    expect(page.get_by_text(said).first).to_be_visible()
    visit(page, f"/admin/admin/logentry/?q=target/{instance}")
    expect(page.get_by_role("row").filter(has_text="operator").filter(has_text=given["reason"])).to_have_count(1)


def test_a_selection_leads_to_its_operation(open_admin: OpenAdmin) -> None:
    page = open_admin(f"{LIST}?service=logsvc")
    page.get_by_label("Select logsvc/logsvc-1").check()
    run(page, "drain")
    expect(page.get_by_text("logsvc: 1 goes, and no instance is left.")).to_be_visible()


def test_a_list_is_exported_as_csv_for_a_reason(open_admin: OpenAdmin) -> None:
    page = open_admin(f"{LIST}?service=logsvc")
    page.get_by_label("Select logsvc/logsvc-1").check()
    run(page, "export_csv")
    page.locator("#id_reason").fill("an audit")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    assert "logsvc-1" in download.value.path().read_text()
    visit(page, "/admin/admin/logentry/?q=CSV")
    expect(page.get_by_role("row").filter(has_text="Reason: an audit")).to_have_count(1)


def test_an_administrator_makes_a_token_that_is_shown_once_and_revokes_it(open_admin: OpenAdmin) -> None:
    page = open_admin("/admin/tokens/token/add/", "administrator")
    page.locator("#id_name").fill("deploys")
    page.locator("#id_scopes").fill("read")
    page.get_by_role("button", name="Save", exact=True).click()
    token = page.get_by_text(re.compile("^rct_")).inner_text()
    page.set_viewport_size({"width": 375, "height": 800})
    assert_fits(page)
    page.set_viewport_size({"width": 1280, "height": 800})

    visit(page, "/admin/tokens/token/?q=deploys")
    expect(page.get_by_text(token)).to_have_count(0)
    page.get_by_role("link", name="deploys").click()
    page.get_by_role("link", name="Revoke").click()
    page.locator("#id_reason").fill("no more needed")
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("The token deploys is revoked.")).to_be_visible()
    visit(page, "/admin/tokens/auditentry/?q=deploys")
    expect(page.get_by_role("row").filter(has_text="revoked: no more needed")).to_have_count(1)


@pytest.mark.parametrize("role", ["viewer", "operator", "administrator"])
def test_each_role_is_offered_what_it_may_do(open_admin: OpenAdmin, role: str) -> None:
    page = open_admin(f"{LIST}services/logsvc/", role)

    expect(page.get_by_role("link", name="Begin maintenance ...")).to_have_count(0 if role == "viewer" else 1)
    expect(page.get_by_role("link", name="Tokens")).to_have_count(1 if role == "administrator" else 0)
    expect(page.get_by_role("link", name="Operations log")).to_have_count(0 if role == "viewer" else 1)


def run(page: Page, action: str) -> None:
    page.locator("select[name=action]").select_option(action)
    page.get_by_role("button", name="Run").click()
