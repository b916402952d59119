"""The registry's admin in a real browser, under its real server, signed in to in each role."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Page, Response

from tests.browser.conftest import PATIENCE_MS, Contexts
from tests.browser.serving import prepared, running
from tests.ports import free_port

# Opens a page in a role: `open_admin("/admin/", "viewer", color_scheme="dark")`.
OpenAdmin = Callable[..., Page]


@dataclass(frozen=True, kw_only=True)
class Admin:
    """The address of the admin, and a session of each role."""

    url: str
    sessions: dict[str, str]


@pytest.fixture(scope="package")
def admin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Admin]:
    environment = {
        **os.environ,
        "ROLLCALL_DATA_DIR": str(tmp_path_factory.mktemp("registry")),
        "REGISTRY_PORT": str(free_port()),
        "DJANGO_SETTINGS_MODULE": "config.settings.registry",
    }
    sessions = prepared("registry", environment, by="tests.browser.admin.seed")
    with running("registry", environment) as url:
        yield Admin(url=url, sessions=sessions)


@pytest.fixture
def open_admin(admin: Admin, contexts: Contexts) -> Iterator[OpenAdmin]:
    """No page may break its content security policy or raise an error."""
    pages: list[Page] = []
    complaints: list[str] = []

    def open_(address: str, role: str | None = "operator", **media: Any) -> Page:
        context = contexts.of(role)
        if role:
            context.add_cookies([{"name": "registry_session", "value": admin.sessions[role], "url": admin.url}])
        page = context.new_page()
        pages.append(page)
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None
        )
        page.emulate_media(**media)
        page.goto(urljoin(admin.url, address))
        return page

    yield open_
    for page in pages:
        page.close()
    assert complaints == []


def visit(page: Page, address: str) -> Response | None:
    """Go to an address of the service whose page is shown."""
    return page.goto(urljoin(page.url, address))
