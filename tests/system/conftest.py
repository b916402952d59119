"""The real processes, on free ports and in a temporary directory, with the Redis that `up` starts itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.running import REQUEST_SECONDS, Browser, System, free_ports
from tests.system.serving import Server


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.system)


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One for all tests, which leave it as they found it."""
    system = System(tmp_path_factory.mktemp("system") / "data", free_ports())
    try:
        system.await_passing()
        yield system
    finally:
        system.end()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for the tests of a module, which leave it running."""
    server = Server(tmp_path_factory.mktemp("registry"))
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture
def teacher(system: System) -> Iterator[Browser]:
    yield from _signed_in(system, "teacher")


@pytest.fixture
def operator(system: System) -> Iterator[Browser]:
    yield from _signed_in(system, "operator")


def _signed_in(system: System, username: str) -> Iterator[Browser]:
    with Browser(base_url=system.urls["webui"], follow_redirects=True, timeout=REQUEST_SECONDS) as browser:
        browser.sign_in(username, system.passwords[username])
        yield browser
