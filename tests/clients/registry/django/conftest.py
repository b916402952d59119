"""A project that joins: its settings, and the fake registry behind them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from registry.client import Registry
from registry.client.connection import Connection
from registry.client.django import discovery, joining
from registry.client.django.process import process
from tests.clients.registry.fake import TOKEN, FakeRegistry

ROLLCALL = {
    "REGISTRY_URL": "http://registry.test",
    "TOKEN": TOKEN,
    "SERVICE": "webui",
    "INSTANCE": "webui-1",
    "URL": "http://testserver",
    "REQUIRES": ["grading"],
}


@pytest.fixture(autouse=True)
def block(settings: Settings, tmp_path: Path) -> dict[str, Any]:
    block = {**ROLLCALL, "STATE_DIR": tmp_path}
    settings.ROLLCALL = block
    settings.ROOT_URLCONF = "tests.clients.registry.django.urls"
    return block


@pytest.fixture(autouse=True)
def _behind_the_settings(registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The fake stands behind the settings, and the process has neither joined nor looked anything up."""

    def joined(url: str, token: str) -> Registry:
        return Registry(url, token, transport=registry.transport())

    def connected(url: str, token: str, *, timeout: float) -> Connection:
        return Connection(url, token, timeout=timeout, transport=registry.transport())

    monkeypatch.setattr(joining, "Registry", joined)
    monkeypatch.setattr(discovery, "Connection", connected)
    monkeypatch.setattr(process, "lookup", None)
    yield
    joining.leave()
