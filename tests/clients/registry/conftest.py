"""What the client's tests share."""

import pytest

from tests.clients.registry.fake import FakeRegistry


@pytest.fixture
def registry() -> FakeRegistry:
    return FakeRegistry()
