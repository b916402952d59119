"""The store that the settings name."""

from functools import cache

from django.conf import settings
from django.db import connection

from logsvc.storage.clickhouse import ClickhouseStore
from logsvc.storage.interface import Store
from logsvc.storage.postgresql import PostgresqlStore
from logsvc.storage.sqlite import SqliteStore


def store() -> Store:
    return _store(settings.CLICKHOUSE_URL, connection.vendor)


@cache
def _store(clickhouse_url: str, vendor: str) -> Store:
    if clickhouse_url:
        return ClickhouseStore(clickhouse_url)
    return PostgresqlStore() if vendor == "postgresql" else SqliteStore()
