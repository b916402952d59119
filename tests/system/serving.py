"""One registry as a process of its own, without workers and without Redis: registering needs neither."""

import signal
import socket
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx2

from tests import forked, preparing
from tests.system.running import MANAGE, STOP_SECONDS, environment, free_ports
from tests.waiting import until

# Longer than a busy machine takes for anything here: who has heard nothing by then was left hanging.
HANGING_SECONDS = 60.0
# The registry finds nothing out by itself about who registers so, however long a test takes.
WHOLE = b'{"url": "http://127.0.0.1:9", "heartbeat": {"kind": "ttl", "interval_seconds": 3600}}'
# The connection was closed, or refused, instead of an answer.
CLOSED = 0


class Server:
    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._ports = free_ports()
        self.port = self._ports["registry"]
        self._token = ""
        self.prepare()

    @property
    def headers(self) -> dict[str, str]:
        return {"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"}

    def prepare(self) -> None:
        """Make the database where there is none, and a token."""
        self._token = preparing.prepare("registry", "register:*", "read", environment=self._environment())

    def start(self) -> None:
        self.process = forked.Program([str(MANAGE), "registry", "serve"], env=self._environment())
        until(lambda: self.process.poll() is not None or httpx2.get(f"{self._url}/healthz"), seconds=HANGING_SECONDS)
        assert self.process.poll() is None

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def await_end(self) -> None:
        """Raises subprocess.TimeoutExpired when it takes longer than whoever stopped it would wait."""
        assert self.process.wait(STOP_SECONDS) == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def is_listening(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=HANGING_SECONDS).close()
        except ConnectionError:
            return False
        return True

    def client(self) -> httpx2.Client:
        return httpx2.Client(base_url=self._url, headers=self.headers, timeout=HANGING_SECONDS)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Meanwhile nobody else can write: a registration that was handed in waits amid its commit."""
        with closing(sqlite3.connect(self._database, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield

    def journalled(self) -> Counter[str]:
        """The number of registrations and changes of each instance in the journal."""
        with closing(sqlite3.connect(self._database)) as connection:
            return Counter(name for (name,) in connection.execute("SELECT instance FROM registry_journalentry"))

    def lose_the_database(self) -> None:
        for file in self._directory.glob(f"{self._database.name}*"):
            file.unlink()

    @property
    def _url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def _database(self) -> Path:
        return self._directory / "registry.sqlite3"

    def _environment(self) -> dict[str, str]:
        return environment(self._directory, self._ports)


def register(client: httpx2.Client, instance: str) -> int:
    """Raises TimeoutException when it is left hanging."""
    try:
        return client.put(address(instance), content=WHOLE).status_code
    except httpx2.TimeoutException:
        raise
    except httpx2.TransportError:
        return CLOSED


def address(instance: str) -> str:
    return f"/v1/services/billing/instances/{instance}"
