"""The log service's tests run on its own addresses."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings
from rest_framework.test import APIClient

from config.threads import Threads
from config.turns import Caller
from logsvc.storage.current import store
from tests.emptying import without_rights
from tests.logsvc import factories


@pytest.fixture(scope="package", autouse=True)
def _logsvc_urls() -> Iterator[None]:
    """For all tests together: after each change Django compiles every address anew."""
    with override_settings(ROOT_URLCONF="logsvc.urls"):
        yield


@pytest.fixture(scope="package", autouse=True)
def _emptied_quickly(django_db_setup: None) -> Iterator[None]:
    with without_rights():
        yield


@pytest.fixture(autouse=True)
def _threads_leave_no_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lane's threads live as long as their process, and keep PostgreSQL from dropping the tests' database."""
    if connection.vendor == "postgresql":
        monkeypatch.setattr(Threads, "run", _run_and_close)


async def _run_and_close(self: Threads, function: Callable[[], Any], *, caller: Caller | None = None) -> Any:
    return await factories.in_thread(function)


@pytest.fixture(autouse=True)
def _nothing_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Forget what a store has read of one test's database; and empty the tables after a test with transactions, as
    Django does for its own models alone.
    """
    marker = request.node.get_closest_marker("django_db")
    is_committed = marker is not None and bool(marker.kwargs.get("transaction"))
    if is_committed:
        request.getfixturevalue("transactional_db")
    yield
    if is_committed:
        factories.empty()
    elif "db" in request.fixturenames or marker is not None:
        factories.empty_clickhouse()
    store().forget()


@pytest.fixture
def writer(db: None) -> APIClient:
    """A token that logs for every service, by the name of `grading`."""
    return factories.caller("grading", "write")


@pytest.fixture
def reader(db: None) -> APIClient:
    return factories.caller("webui", "read")
