"""What axe finds on a page, and whether a page fits its window."""

from collections.abc import Iterable
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]


def violations(page: Page, *, but: Iterable[str] = ()) -> list[str]:
    """One line for each violation, with its first element; `but` names rules that are not asked for."""
    # Half a megabyte, which a page that was looked at before has already.
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    options: dict[str, Any] = {
        "runOnly": RULES,
        "resultTypes": ["violations"],
        "rules": {rule: {"enabled": False} for rule in but},
    }
    found = page.evaluate("options => axe.run(options).then(found => found.violations)", options)
    return [f"{page.url} {each['id']}: {each['nodes'][0]['html'][:200]}" for each in found]


def assert_accessible(page: Page) -> None:
    assert violations(page) == []


def assert_fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, page.url
