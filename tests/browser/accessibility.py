"""Runs axe on a page, and checks that a page fits its window."""

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
CONTRAST = ("color-contrast", "link-in-text-block")
# Marks the elements whose contrast is to be looked at.
LOOKS_SCRIPT = Path(__file__).with_name("looks.js").read_text()
# Half a megabyte: the browser keeps it for whatever the page shows next, and there runs it where it is asked to.
FOR_LATER = f"window.loadAxe = () => {{ {AXE_SCRIPT}; {LOOKS_SCRIPT} }}"
EXAMINE = "given => { if (!window.looks) window.loadAxe?.(); return window.looks?.examine(given) ?? null }"
WIDTHS = (1280, 375)
# The admins' theme's own, of which its templates give us no hold: toggles without names, headings that skip a level.
ADMIN_THEMES_OWN = (
    "heading-order",
    "page-has-heading-one",
    "region",
    "landmark-one-main",
    "landmark-unique",
    "scrollable-region-focusable",
)
# What axe would make beside the violations costs as much as the rules do. Of the style sheets it would read all, for a
# rule that it counts as experimental and does not ask for.
FOR_VIOLATIONS_ALONE = {
    "resultTypes": ["violations"],
    "selectors": False,
    "elementRef": False,
    "preload": {"assets": ["media"]},
}


@dataclass(frozen=True, kw_only=True)
class Findings:
    """A line for each violation, with its first element, and by how many pixels the page is wider than its window."""

    violations: list[str]
    excess_width: float


def violations(page: Page) -> list[str]:
    return examine(page).violations


def examine(page: Page, *, but: Iterable[str] = (), only: Sequence[str] = ()) -> Findings:
    """Run axe, and measure the page, in one call; `but` names rules that are not asked for.

    Contrast costs more than all other rules together. It follows from an element's look, that is from its own style
    and from those of the elements around it: so each look is examined once in a browser, with three of its elements.
    """
    browser = page.context.browser
    assert browser is not None
    known = looks(browser)
    given = {
        "options": {
            "runOnly": {"type": "rule", "values": only} if only else RULES,
            "rules": {rule: {"enabled": False} for rule in but},
            **FOR_VIOLATIONS_ALONE,
        },
        "known": " ".join(known),
        "isContrastAlone": bool(only),
    }
    found = page.evaluate(EXAMINE, given)
    if found is None:
        page.add_init_script(FOR_LATER)
        page.evaluate(f"{FOR_LATER}; loadAxe()")
        found = page.evaluate(EXAMINE, given)
    known.update(found["looks"])
    complaints = [f"{page.url} {complaint}" for complaint in found["complaints"]]
    return Findings(violations=complaints, excess_width=found["excessWidth"])


@functools.cache
def looks(browser: Browser) -> set[str]:
    """The looks that have been examined in a browser."""
    return set()


def assert_accessible(page: Page) -> None:
    found = violations(page)
    assert not found, "\n".join(found)


def assert_accessible_and_fits(page: Page) -> None:
    """Check the page wide and narrow, light and dark, in one visit; the page's colours are the system's."""

    def color(scheme: Literal["light", "dark"]) -> None:
        # Colours that are on their way from one scheme to the other are neither.
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")

    _assert_in_each_width_and_scheme(page, color)


def assert_page_of_admin_is_accessible_and_fits(page: Page, *, but: Iterable[str] = ()) -> None:
    """The same for a page of an admin, whose theme takes the system's colours only while a page loads."""

    def color(scheme: str) -> None:
        # As the theme itself does when it is asked to.
        page.evaluate("dark => document.documentElement.classList.toggle('dark', dark)", scheme == "dark")

    _assert_in_each_width_and_scheme(page, color, but=(*ADMIN_THEMES_OWN, *but))


def _assert_in_each_width_and_scheme(
    page: Page, color: Callable[[Literal["light", "dark"]], None], *, but: Iterable[str] = ()
) -> None:
    """Begins with the width that the last page was left in: to change it costs as much as a quarter of a page.

    Nothing but contrast depends on the colours: so every rule is asked for at both widths, in one scheme each, and
    contrast in the other.
    """
    known = page.viewport_size
    is_narrow = known is not None and known["width"] == WIDTHS[-1]
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    session = page.context.new_cdp_session(page)
    for width in reversed(WIDTHS) if is_narrow else WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        # Laid out for the whole window, it is drawn for one pixel, as nobody looks: a twentieth less of all the work.
        session.send("Emulation.setVisibleSize", {"width": 1, "height": 1})
        for scheme, only in zip(schemes, ((), CONTRAST), strict=True):
            color(scheme)
            found = examine(page, only=only, but=() if only else but)
            assert found.excess_width <= 0, page.url
            assert not found.violations, "\n".join(found.violations)
        schemes = schemes[::-1]


def assert_fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, page.url
