"""Grading's tests run on its own addresses."""

from collections.abc import Iterator

import pytest
from django.test import override_settings

from tests.grading import factories
from tests.grading.factories import Caller


@pytest.fixture(scope="package", autouse=True)
def _grading_urls() -> Iterator[None]:
    """For all tests together: after each change Django compiles every address anew."""
    with override_settings(ROOT_URLCONF="grading.urls"):
        yield


@pytest.fixture
def admin(db: None) -> Caller:
    """A token that acts for itself."""
    return factories.caller("admin", scopes=["read", "write"])


@pytest.fixture
def teacher(db: None) -> Caller:
    """The teacher of every course that the factories make, through the web UI."""
    return factories.caller("webui", scopes=["read", "write", "act-for"], act_for=factories.TEACHER)
