"""Grading's tests run on its own addresses."""

import pytest
from pytest_django import Settings

from tests.grading import factories
from tests.grading.factories import Caller


@pytest.fixture(autouse=True)
def _grading_urls(settings: Settings) -> None:
    settings.ROOT_URLCONF = "grading.urls"


@pytest.fixture
def admin(db: None) -> Caller:
    """A token that acts for itself."""
    return factories.caller("admin", scopes=["read", "write"])


@pytest.fixture
def teacher(db: None) -> Caller:
    """The teacher of every course that the factories make, through the web UI."""
    return factories.caller("webui", scopes=["read", "write", "act-for"], act_for=factories.TEACHER)
