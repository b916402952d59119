"""Axe finds each fault of a page, in every width and scheme it may show in."""

import pytest
from playwright.sync_api import Browser

from tests.browser.accessibility import assert_accessible_and_fits, violations

pytestmark = pytest.mark.browser
PAGE = """<!doctype html><html lang="en"><title>Grades</title><style>
body {{ background: white; color: black }}
p {{ font-size: 16px }}
@media (prefers-color-scheme: dark) {{ body {{ background: black; color: white }} }}
{}</style><main><h1>Grades</h1><p>Ada <p>Bob <p>Eve <p>Dan {}</main>"""
FAINT = {
    "wide and light": "@media (min-width: 1000px) and (prefers-color-scheme: light) { p { color: #ddd } }",
    "wide and dark": "@media (min-width: 1000px) and (prefers-color-scheme: dark) { p { color: #222 } }",
    "narrow and light": "@media (max-width: 999px) and (prefers-color-scheme: light) { p { color: #ccc } }",
    "narrow and dark": "@media (max-width: 999px) and (prefers-color-scheme: dark) { p { color: #333 } }",
}


@pytest.mark.parametrize("where", FAINT)
def test_faint_text_is_found_in_whichever_width_and_scheme_it_is(browser: Browser, where: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.set_content(PAGE.format("", ""))
        assert_accessible_and_fits(page)
        page.set_content(PAGE.format(FAINT[where], ""))
        with pytest.raises(AssertionError, match="color-contrast"):
            assert_accessible_and_fits(page)


def test_each_look_of_a_page_is_examined_though_others_are_known(browser: Browser) -> None:
    faint = "style='background: #eee'", "style='color: #999'", "style='opacity: 0.3'"
    with browser.new_context() as context:
        page = context.new_page()
        for each in faint:
            page.set_content(PAGE.format("", ""))
            assert violations(page) == []
            page.set_content(PAGE.format("p { color: #666 }", f"<div {each}><p style='color: inherit'>Mia</div>"))
            found = [one for one in violations(page) if "color-contrast" in one]
            assert bool(found) is (each != faint[0]), each


def test_text_that_was_hidden_is_examined_once_it_shows(browser: Browser) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.set_content(PAGE.format("", "<div hidden><p style='color: #bbb'>Mia</div>"))
        assert violations(page) == []
        page.evaluate("document.querySelector('[hidden]').hidden = false")
        assert any("color-contrast" in each for each in violations(page))


def test_a_page_that_is_wider_than_its_window_is_found(browser: Browser) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.set_content(PAGE.format("@media (max-width: 999px) { main { width: 376px; margin-left: 8px } }", ""))
        with pytest.raises(AssertionError, match="about:blank"):
            assert_accessible_and_fits(page)


def test_what_is_wrong_beside_the_colours_is_found(browser: Browser) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.set_content(PAGE.format("", "<p><img src='data:,'>"))
        assert any("image-alt" in each for each in violations(page))
