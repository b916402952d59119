"""A client on each event loop, and peers on loopback that do what a test tells them to."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from registry.outbound.address_policy import AddressPolicy
from registry.outbound.client import Client


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return "asyncio", {"use_uvloop": request.param}


@pytest.fixture
def policy() -> AddressPolicy:
    return AddressPolicy(["127.0.0.0/8", "::1/128"])


@pytest.fixture
async def client(policy: AddressPolicy) -> AsyncIterator[Client]:
    client = Client(policy)
    yield client
    await client.close()
