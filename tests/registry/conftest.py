"""The registry's tests run on its own addresses."""

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.db import connection
from django.test import override_settings
from pytest_django import DjangoDbBlocker, Settings
from rest_framework.test import APIClient

from config.tokens import gate, issuing
from config.tokens.limits import Limits
from registry.discovery import batches, journal_window, token_cache
from tests.clock import Clock
from tests.emptying import without_rights
from tests.registry.discovery.desk import Desk

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="package", autouse=True)
def _registry_urls() -> Iterator[None]:
    """For all tests together: after each change Django compiles every address anew."""
    with override_settings(ROOT_URLCONF="registry.urls"):
        yield


@pytest.fixture(scope="package", autouse=True)
def _emptied_quickly(django_db_setup: None) -> Iterator[None]:
    with without_rights():
        yield


@pytest.fixture(scope="package", autouse=True)
def _roles(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """The admin's groups, as the migration makes them: most databases of tests are made without it."""
    with django_db_blocker.unblock():
        if Group._meta.db_table not in connection.introspection.table_names():
            # None of the chosen tests uses the database.
            return
        import_module("registry.migrations.0011_roles").make_roles(apps, None)


@pytest.fixture(autouse=True)
def _own_networks(settings: Settings) -> None:
    settings.ALLOWED_NETWORKS = ["127.0.0.0/8", "::1/128", "10.0.0.0/8"]


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Limits:
    """The limits of tokens, of which nothing is used and nothing comes back: the clock stands still."""
    made = Limits(Clock())
    monkeypatch.setattr(gate.current(), "limits", made)
    return made


@pytest.fixture
def client_of(db: None) -> "ClientOf":
    return ClientOf()


@pytest.fixture
def lasting_holders(monkeypatch: pytest.MonkeyPatch) -> None:
    """The holder of a token stays known until a look says otherwise, however slowly a test gets there."""
    monkeypatch.setattr(token_cache, "FRESH_SECONDS", 3600.0)


@pytest.fixture
def desk(db: None, lasting_holders: None, monkeypatch: pytest.MonkeyPatch) -> Desk:
    # What a test has looked at is fresh until it looks again, however slowly it gets there.
    monkeypatch.setattr(journal_window, "FRESH_SECONDS", 3600.0)
    # Nor is a page given to anybody before the making of its batch is over.
    monkeypatch.setattr(batches, "SLOW_SECONDS", 3600.0)
    return Desk()


class ClientOf:
    """Makes API clients: one call, one token with the given scopes."""

    def __call__(self, *scopes: str, name: str = "tester") -> APIClient:
        token = issuing.create(name=name, scopes=list(scopes))
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        return client
