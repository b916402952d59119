"""The log service's tests run on its own addresses."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from logsvc.storage.current import store
from tests.logsvc import factories


@pytest.fixture(autouse=True)
def _logsvc_urls(settings: Settings) -> None:
    settings.ROOT_URLCONF = "logsvc.urls"


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """What a store has read of one test's database says nothing of the next one's."""
    yield
    store().forget()


@pytest.fixture
def writer(db: None) -> APIClient:
    """A token that logs for every service, by the name of `grading`."""
    return factories.caller("grading", "write")


@pytest.fixture
def reader(db: None) -> APIClient:
    return factories.caller("webui", "read")
