"""The store that the settings name."""

from functools import cache

from django.db import connection

from logsvc.storage.interface import Store
from logsvc.storage.postgresql import PostgresqlStore
from logsvc.storage.sql import SqlStore
from logsvc.storage.sqlite import SqliteStore


def store() -> Store:
    return _sql_store(connection.vendor)


@cache
def _sql_store(vendor: str) -> SqlStore:
    return PostgresqlStore() if vendor == "postgresql" else SqliteStore()
