"""The admins of the web UI, the log service and grading, in a real browser under their real servers."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import assert_page_of_admin_is_accessible_and_fits
from tests.browser.conftest import PATIENCE_MS, Contexts, OpenPage
from tests.browser.serving import ServedWebui
from tests.webui.faked.world import World

pytestmark = pytest.mark.browser
# What all admins have, such as settings and tokens, is drawn by the same templates: the registry's tests look at these.
PAGES = {
    "webui": [
        *("/admin/", "/admin/webui/incident/", "/admin/webui/channel/", "/admin/webui/channel/add/"),
        *("/admin/webui/message/", "/admin/webui/publicpage/", "/admin/webui/savedsearch/"),
    ],
    "logsvc": [
        *("/admin/", "/admin/logsvc/retentionrule/records/"),
        *("/admin/logsvc/retentionrule/usage/", "/admin/logsvc/retentionrule/", "/admin/logsvc/retentionrule/add/"),
        *("/admin/logsvc/alertrule/", "/admin/logsvc/alertrule/add/", "/admin/logsvc/alertmessage/"),
        "/admin/logsvc/savedsearch/",
    ],
    "grading": [
        *("/admin/", "/admin/grading/course/", "/admin/grading/course/1/change/"),
        *("/admin/grading/student/", "/admin/grading/enrollment/", "/admin/grading/gradechange/"),
        *("/admin/grading/importbatch/", "/admin/grading/gradescale/", "/admin/grading/term/"),
    ],
}


@pytest.mark.parametrize("service", PAGES)
def test_every_page_is_accessible_and_fits_light_and_dark_wide_and_narrow(
    contexts: Contexts, webui: ServedWebui, world: World, service: str
) -> None:
    world.grading.make_course(students=2, assignments=1)
    world.grading.put(0, 0, score="7")
    url, session = webui.admins.get(service, (webui.url, webui.sessions["operator"]))
    context = contexts.of(service)
    context.add_cookies([{"name": f"{service}_session", "value": session, "url": url}])
    with context.new_page() as page:
        page.set_default_timeout(PATIENCE_MS)
        page.emulate_media(reduced_motion="reduce")
        for address in PAGES[service]:
            answer = page.goto(url + address)
            assert answer is not None
            assert answer.status == 200, address
            # The theme heads the column of what is deleted with nothing.
            but = ["empty-table-header"] if "/course/1/" in address else []
            assert_page_of_admin_is_accessible_and_fits(page, but=but)


def test_the_message_of_a_record_is_whole_on_a_telephone(contexts: Contexts, webui: ServedWebui) -> None:
    url, session = webui.admins["logsvc"]
    context = contexts.of("logsvc")
    context.add_cookies([{"name": "logsvc_session", "value": session, "url": url}])
    with context.new_page() as page:
        page.set_viewport_size({"width": 375, "height": 900})
        page.goto(f"{url}/admin/logsvc/retentionrule/records/")
        cut = "cell => cell.scrollHeight > cell.clientHeight || cell.scrollWidth > cell.clientWidth"
        cells = page.locator("td[data-label=Message]")
        expect(cells).to_have_count(2, timeout=PATIENCE_MS)
        assert not [cell.inner_text() for cell in cells.all() if cell.evaluate(cut)]


def test_an_administrator_ends_the_sessions_of_somebody(open_page: OpenPage, webui: ServedWebui) -> None:
    page = open_page("/admin/sessions/", "operator")
    row = page.get_by_role("row").filter(has_text="visitor")
    row.get_by_role("link", name="End ...").click()
    page.locator("#id_reason").fill("left the school")
    page.get_by_role("button", name="End the sessions").click()
    expect(page.get_by_text(re.compile("visitor: ended [0-9]+ session"))).to_be_visible()
    page.goto("/admin/admin/logentry/?q=left+the+school")
    expect(page.get_by_role("row").filter(has_text="visitor")).to_have_count(1)


def test_the_web_ui_and_its_admin_lead_to_each_other(open_page: OpenPage, webui: ServedWebui) -> None:
    page = open_page("/alerts", "operator")
    page.get_by_role("button", name="operator").click()
    expect(page.get_by_role("link", name="Web UI's admin")).to_have_attribute("href", f"{webui.url}/admin/")
    page.goto("/admin/")
    expect(page.locator(f"a[href='{webui.url}/']").filter(has_text="Web UI")).to_have_count(1)
