"""The log service's tests run on its own addresses."""

from datetime import datetime

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from tests.logsvc import factories


@pytest.fixture(autouse=True)
def _logsvc_urls(settings: Settings) -> None:
    settings.ROOT_URLCONF = "logsvc.urls"


@pytest.fixture
def now() -> datetime:
    return factories.NOW


@pytest.fixture
def writer(db: None) -> APIClient:
    """A token that logs for the service `grading`."""
    return factories.caller("grading", "write")


@pytest.fixture
def reader(db: None) -> APIClient:
    return factories.caller("webui", "read")
