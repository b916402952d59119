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


OVER = ".over p::before { content: ''; position: absolute; background: pink; width: 99px; height: 99px }"
BESIDE = "<div style='background: white; width: 1px'><div style='position: absolute; left: 99px'>{}</div></div>"
# What passes, and then what differs from it in a way that makes it fail; each in a colour of its own.
ALIKE = {
    "its background is mixed with what is behind it": (
        "<div style='background: white'>{}</div>",
        "<div style='opacity: 0.3'><div style='background: white'>{}</div></div>",
    ),
    "it is not large": ("<div style='color: #888; font-size: 30px'>{}</div>", "<div style='color: #888'>{}</div>"),
    "it is not disabled": (
        "<div style='color: #989898' aria-disabled=true>{}</div>",
        "<div style='color: #989898'>{}</div>",
    ),
    "it is on the page": (
        "<div style='color: #979797; margin-left: -3000px; width: 100px'>{}</div>",
        "<div style='color: #979797'>{}</div>",
    ),
    "nothing is painted over it by its style": (
        "<div style='color: #969696' class='over'>{}</div>",
        "<div style='color: #969696'>{}</div>",
    ),
    "it lies elsewhere": (
        "<div style='color: #666; background: white'>{}</div>",
        f"<div style='color: #666; background: #777; height: 99px'>{BESIDE}</div>",
    ),
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


@pytest.mark.parametrize("difference", ALIKE)
def test_text_that_differs_from_what_is_known_is_examined(browser: Browser, difference: str) -> None:
    text = "<p style='font-size: inherit'>Mia and Leo</p>"
    with browser.new_context() as context:
        page = context.new_page()
        passing, failing = (PAGE.format(OVER, each.format(text)) for each in ALIKE[difference])
        page.set_content(passing)
        assert violations(page) == []
        page.set_content(failing)
        assert any("color-contrast" in each for each in violations(page))


@pytest.mark.parametrize("where", FAINT)
def test_a_link_that_hardly_differs_from_its_text_is_found_in_whichever_width_and_scheme_it_does(
    browser: Browser, where: str
) -> None:
    # No other case has examined these.
    shade = len(where)
    colors = f"a {{ color: #3333{shade} }} @media (prefers-color-scheme: dark) {{ a {{ color: #bbbb{shade} }} }}"
    link = "<p>Mia and Leo <a href='/'>and Ada</a> and Dan"
    with browser.new_context() as context:
        page = context.new_page()
        page.set_content(PAGE.format(colors, link))
        assert_accessible_and_fits(page)
        media, _, _ = FAINT[where].partition("{")
        page.set_content(PAGE.format(f"{colors} {media} {{ a {{ text-decoration: none }} }}", link))
        with pytest.raises(AssertionError, match="link-in-text-block"):
            assert_accessible_and_fits(page)


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
