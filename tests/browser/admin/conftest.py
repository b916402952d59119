"""The registry's admin in a real browser, under its real server, signed in to in each role."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState

from tests.browser.admin.seed import PASSWORD, ROLES
from tests.browser.conftest import PATIENCE_MS
from tests.browser.serving import ROOT, START_SECONDS
from tests.ports import free_port
from tests.waiting import PATIENCE_SECONDS, until

# Opens a page in a role: `open_admin("/admin/", "viewer", color_scheme="dark")`.
OpenAdmin = Callable[..., Page]


@pytest.fixture(scope="package")
def admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    environment = {
        **os.environ,
        "ROLLCALL_DATA_DIR": str(tmp_path_factory.mktemp("registry")),
        "REGISTRY_PORT": str(port),
        "DJANGO_SETTINGS_MODULE": "config.settings.registry",
    }
    manage = [sys.executable, "manage.py", "registry"]
    for command in ([*manage, "migrate", "-v0"], [sys.executable, "-m", "tests.browser.admin.seed"]):
        subprocess.run(command, cwd=ROOT, env=environment, check=True)
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen([*manage, "serve"], cwd=ROOT, env=environment)
    try:
        until(lambda: httpx2.get(f"{url}/healthz", trust_env=False).is_success, seconds=START_SECONDS)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="package")
def cookies_in_role(browser: Browser, admin_url: str) -> dict[str, StorageState]:
    return {role: _sign_in(browser, admin_url, role) for role in ROLES}


@pytest.fixture
def open_admin(browser: Browser, admin_url: str, cookies_in_role: dict[str, StorageState]) -> Iterator[OpenAdmin]:
    """No page may break its content security policy or raise an error."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_(address: str, role: str | None = "operator", **options: Any) -> Page:
        state = cookies_in_role[role] if role else None
        contexts.append(browser.new_context(base_url=admin_url, storage_state=state, **options))
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None
        )
        page.goto(address)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []


def _sign_in(browser: Browser, url: str, role: str) -> StorageState:
    context = browser.new_context(base_url=url)
    page = context.new_page()
    page.goto("/admin/")
    page.locator("#id_username").fill(role)
    page.locator("#id_password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="What is wrong").wait_for()
    state = context.storage_state()
    context.close()
    return state
