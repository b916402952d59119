"""Runs axe on a page, and checks that a page fits its window."""

import functools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
CONTRAST = ("color-contrast", "link-in-text-block")
# Marks the elements whose contrast is to be looked at.
LOOKS_SCRIPT = Path(__file__).with_name("looks.js").read_text()
# The admins' theme's own, of which its templates give us no hold: toggles without names, headings that skip a level.
ADMIN_THEMES_OWN = (
    "heading-order",
    "page-has-heading-one",
    "region",
    "landmark-one-main",
    "landmark-unique",
    "scrollable-region-focusable",
)


def violations(page: Page, *, but: Iterable[str] = (), only: Sequence[str] = ()) -> list[str]:
    """One line for each violation, with its first element; `but` names rules that are not asked for.

    Contrast costs more than all other rules together. It follows from an element's look, that is from its own style
    and from those of the elements around it: so each look is examined once in a browser, with three of its elements.
    """
    found = page.evaluate("window.looks && looks.find()")
    if found is None:
        # Half a megabyte, which a page that was looked at before has already.
        page.evaluate(AXE_SCRIPT)
        found = page.evaluate(f"{LOOKS_SCRIPT}looks.find()")
    browser = page.context.browser
    assert browser is not None
    known = looks(browser)
    new = [number for number, look in enumerate(found) if look not in known]
    known.update(found)
    if only and not new:
        return []
    options: dict[str, Any] = {
        "runOnly": {"type": "rule", "values": only} if only else RULES,
        "resultTypes": ["violations"],
        "rules": {rule: {"enabled": False} for rule in but},
    }
    complaints = page.evaluate("([options, chosen]) => looks.run(options, chosen)", [options, new])
    return [f"{page.url} {each['id']}: {each['nodes'][0]['html'][:200]}" for each in complaints]


@functools.cache
def looks(browser: Browser) -> set[str]:
    """The looks that have been examined in a browser."""
    return set()


def assert_accessible(page: Page) -> None:
    found = violations(page)
    assert not found, "\n".join(found)


def assert_accessible_and_fits(page: Page) -> None:
    """Check the page wide and narrow, light and dark, in one visit; the page's colours are the system's.

    Nothing but contrast depends on the colours: so every rule is asked for at both widths, in one scheme each, and
    contrast in the other.
    """
    for width, schemes in ((1280, ("light", "dark")), (375, ("dark", "light"))):
        page.set_viewport_size({"width": width, "height": 900})
        assert_fits(page)
        for scheme, only in zip(schemes, ((), CONTRAST), strict=True):
            # Colours that are on their way from one scheme to the other are neither.
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
            found = violations(page, only=only)
            assert not found, "\n".join(found)


def assert_page_of_admin_is_accessible_and_fits(page: Page, *, but: Iterable[str] = ()) -> None:
    """The same for a page of an admin, whose theme takes the system's colours only while a page loads."""
    for width, schemes in ((1280, ("light", "dark")), (375, ("dark", "light"))):
        page.set_viewport_size({"width": width, "height": 800})
        assert_fits(page)
        for scheme, only in zip(schemes, ((), CONTRAST), strict=True):
            # As the theme itself does when it is asked to.
            page.evaluate("dark => document.documentElement.classList.toggle('dark', dark)", scheme == "dark")
            found = violations(page, only=only, but=() if only else (*ADMIN_THEMES_OWN, *but))
            assert not found, "\n".join(found)


def assert_fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, page.url
