"""The registry's admin in a real browser, under its real server, signed in to in each role."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.admin.seed import ROLES
from tests.browser.conftest import PATIENCE_MS, lasting_context
from tests.browser.serving import ROOT, running
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
    seed = [sys.executable, "-m", "tests.browser.admin.seed"]
    seeded = subprocess.run(seed, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    with running("registry", environment) as url:
        yield Admin(url=url, sessions=json.loads(seeded.stdout.splitlines()[-1]))


@pytest.fixture(scope="package")
def contexts(browser: Browser, admin: Admin) -> Iterator[dict[str | None, BrowserContext]]:
    """One for each role and one for nobody, so that the theme's scripts are read once."""
    found = {role: lasting_context(browser, admin.url) for role in (None, *ROLES)}
    for role in ROLES:
        found[role].add_cookies([{"name": "registry_session", "value": admin.sessions[role], "url": admin.url}])
    yield found
    for context in found.values():
        context.close()


@pytest.fixture
def open_admin(contexts: dict[str | None, BrowserContext]) -> Iterator[OpenAdmin]:
    """No page may break its content security policy or raise an error."""
    pages: list[Page] = []
    complaints: list[str] = []

    def open_(address: str, role: str | None = "operator", **media: Any) -> Page:
        page = contexts[role].new_page()
        pages.append(page)
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None
        )
        page.emulate_media(**media)
        page.goto(address)
        return page

    yield open_
    for page in pages:
        page.close()
    assert complaints == []
