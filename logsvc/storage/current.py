"""The store that the settings name, one for each process."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection

from logsvc.storage.clickhouse import ClickhouseStore
from logsvc.storage.interface import Store
from logsvc.storage.postgresql import PostgresqlStore
from logsvc.storage.sqlite import SqliteStore


def store() -> Store:
    """This process's store, which the app owns."""
    # Its class is above this folder.
    app: Any = apps.get_app_config("logsvc")
    made: Store = app.store
    return made


def connect() -> Store:
    """Make a store of the kind that the settings name."""
    if settings.CLICKHOUSE_URL:
        return ClickhouseStore(settings.CLICKHOUSE_URL)
    return PostgresqlStore() if connection.vendor == "postgresql" else SqliteStore()
