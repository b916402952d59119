"""Fixtures of the client's tests."""

import pytest

from tests.clients.registry.fake import FakeRegistry


@pytest.fixture
def registry() -> FakeRegistry:
    return FakeRegistry()
