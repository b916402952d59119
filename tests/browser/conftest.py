"""A real browser on the web UI under its real server; what it asks of other services is faked at HTTP.

The fixtures end with this package rather than with the session: while Playwright's event loop runs, Django refuses
the tests of other packages their database. Accounts are made by commands in a process of their own, for the same
reason.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)

from tests import machine
from tests.browser.serving import ServedWebui, served_webui
from tests.waiting import PATIENCE_SECONDS
from tests.webui.faked.world import World

FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    # All pages of a person have one process, which has read their styles and scripts already.
    "--process-per-site",
    # A new page begins in that process too, instead of in one that its first address would leave at once.
    "--renderer-process-limit=1",
    # What there is to draw is drawn by the processor: a process of its own for it only has more to pass on.
    "--in-process-gpu",
    # Nor does each address get a frame, with all that draws it, of its own: a page takes a fifth less that way. This
    # replaces the features that Playwright enables, which only screenshots and accounts of Google's would need.
    "--enable-features=RenderDocument:level/crashed-frame",
    # No page lives long enough to repay what its optimizing compilers take.
    "--js-flags=--no-opt --no-maglev",
)
PATIENCE_MS = 1000 * PATIENCE_SECONDS

# Opens a page as somebody: `open_page("/logs", "operator", color_scheme="dark")`.
OpenPage = Callable[..., Page]


@pytest.fixture(scope="package")
def lasting_world() -> World:
    return World()


@pytest.fixture
def world(lasting_world: World) -> World:
    lasting_world.begin_anew()
    return lasting_world


@pytest.fixture(scope="package")
def webui(lasting_world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedWebui]:
    with served_webui(lasting_world, tmp_path_factory.mktemp("webui")) as served:
        yield served


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=machine.chromium_on_path(), args=list(FLAGS))
        yield browser
        browser.close()


class Contexts:
    """Contexts of the browser that outlive the tests: their processes have read all styles and scripts already.

    Each has one page open all the time, as its process ends with its last page.
    """

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self._url = url
        self._people: dict[BrowserContext, str | None] = {}

    def of(self, person: str | None) -> BrowserContext:
        """The one in which the person has a page, else the first in which nobody has."""
        for context, holder in self._people.items():
            if len(context.pages) == 1 or holder == person:
                break
        else:
            context = self._browser.new_context(base_url=self._url)
            context.new_page().goto("/healthz")
        if len(context.pages) == 1:
            context.clear_cookies()
            context.clear_permissions()
        self._people[context] = person
        return context

    def close(self) -> None:
        for context in self._people:
            context.close()


@pytest.fixture(scope="package")
def contexts(browser: Browser, webui: ServedWebui) -> Iterator[Contexts]:
    contexts = Contexts(browser, webui.url)
    yield contexts
    contexts.close()


@pytest.fixture
def open_page(world: World, browser: Browser, webui: ServedWebui, contexts: Contexts) -> Iterator[OpenPage]:
    """At the end no page may have broken its content security policy, raised an error or asked another host."""
    own_contexts: list[BrowserContext] = []
    pages: list[Page] = []
    complaints: list[str] = []

    def open_(address: str, person: str | None = "teacher", **options: Any) -> Page:
        if options:
            context = browser.new_context(base_url=webui.url, **options)
            own_contexts.append(context)
        else:
            context = contexts.of(person)
        if person:
            context.add_cookies([{"name": "webui_session", "value": webui.sessions[person], "url": webui.url}])
        page = context.new_page()
        pages.append(page)
        page.set_default_timeout(PATIENCE_MS)
        _watch(page, complaints, webui.url)
        page.goto(address)
        return page

    yield open_
    for page in pages:
        page.close()
    for context in own_contexts:
        context.close()
    assert complaints == []


def _watch(page: Page, complaints: list[str], own_url: str) -> None:
    def hear(message: ConsoleMessage) -> None:
        # The browser and htmx also report every answer of 4xx and every broken-off request this way.
        reports = ("Failed to load resource", "htmx:", "Response Status Error Code 4")
        if message.type in ("error", "warning") and not message.text.startswith(reports):
            complaints.append(message.text)

    def see(request: Request) -> None:
        if not request.url.startswith((own_url, "data:")):
            complaints.append(f"asked {request.url}")

    page.on("console", hear)
    page.on("request", see)
    page.on("pageerror", lambda error: complaints.append(str(error)))
