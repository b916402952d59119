"""A registry with its Redis and workers as in production, in a temporary directory, for as long as a benchmark runs."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from config.services import SERVICES
from config.supervision.programs import redis_server

BATCH = 10_000
# Of instances that beat by themselves, and so are not probed.
TTL = {"kind": "ttl", "interval_seconds": 3600}
ROOT = Path(__file__).resolve().parent.parent
# The limits of a token are counted, as for users, but raised: one token asks here for what many would.
RAISED = dict.fromkeys(
    (
        "ROLLCALL_TOKEN_REQUESTS_PER_SECOND",
        "REGISTRY_TOKEN_INSTANCES",
        "REGISTRY_TOKEN_CHANGES_PER_MINUTE",
        "REGISTRY_TOKEN_PROBES_PER_SECOND",
        "REGISTRY_TOKEN_REQUIREMENTS",
        "REGISTRY_TOKEN_WEBHOOKS_PER_SECOND",
        "REGISTRY_TOKEN_STREAMS",
        "LOGSVC_TOKEN_RECORDS_PER_SECOND",
        "LOGSVC_TOKEN_STREAMS",
    ),
    "1000000",
)


@dataclass(frozen=True, kw_only=True)
class Stack:
    url: str
    token: str
    environment: dict[str, str]

    def client(self) -> httpx2.Client:
        return httpx2.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.token}"}, timeout=60)


@contextmanager
def registry(**variables: str) -> Iterator[Stack]:
    """With its worker, as users run it; `variables` are added to the environment."""
    with tempfile.TemporaryDirectory(prefix="rollcall-bench-") as directory, ExitStack() as stack:
        port = free_port()
        environment = {
            **os.environ,
            "ROLLCALL_DATA_DIR": directory,
            "REGISTRY_PORT": str(port),
            "DJANGO_SETTINGS_MODULE": "config.settings.registry",
            **RAISED,
            # The processes are told by their environment, which a title would be written over.
            "SPT_NOENV": "1",
            **variables,
        }
        manage = [sys.executable, str(ROOT / "manage.py"), "registry"]
        redis = [redis_server(), "--port", "0", "--unixsocket", f"{directory}/redis.sock", "--save", ""]
        stack.enter_context(running(redis, environment))
        subprocess.run([*manage, "migrate", "-v0"], env=environment, check=True)
        scopes = ["--scope", "read", "--scope", "register:*", "--scope", "operate"]
        create = [*manage, "create_token", "bench", *scopes]
        made = subprocess.run(create, env=environment, check=True, capture_output=True)
        stack.enter_context(running([*manage, "serve"], environment))
        celery = [sys.executable, "-m", "celery", "-A", "config.celery"]
        solo = ["worker", "--pool", "solo", "--without-gossip", "--without-mingle", "-l", "WARNING"]
        queues = ["-Q", ",".join(SERVICES["registry"].queues), "--with-beat"]
        stack.enter_context(running([*celery, *solo, *queues], environment))
        url = f"http://127.0.0.1:{port}"
        wait_for(url)
        yield Stack(url=url, token=made.stdout.decode().strip(), environment=environment)


def grow(registry: Stack, size: int) -> None:
    """Register instances up to that size, in services of ten each, that beat by themselves."""
    instances = [
        {
            "service": f"s-{number // 10}",
            "instance": f"i-{number}",
            "url": f"http://127.0.0.1:{10_000 + number % 50_000}",
            "tags": ["blue"],
            "zone": "a",
            "heartbeat": TTL,
        }
        for number in range(size)
    ]
    with registry.client() as client:
        for start in range(0, size, BATCH):
            members = {"instances": instances[start : start + BATCH]}
            client.post("/v1/registrations:batch", json=members).raise_for_status()


@contextmanager
def database(*, is_postgresql: bool) -> Iterator[dict[str, str]]:
    """The variables that name it: none for SQLite, which is the default."""
    if not is_postgresql:
        yield {}
        return
    from tests import postgresql

    with postgresql.server() as url:
        yield {"REGISTRY_DATABASE_URL": url}


@contextmanager
def running(command: list[str], environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(url: str, *, seconds: float = 90.0) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if httpx2.get(f"{url}/healthz").is_success:
                return
        except httpx2.TransportError:
            time.sleep(0.05)
    raise TimeoutError(f"{url} does not answer")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
