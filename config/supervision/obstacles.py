"""Obstacles to starting the system: found before anything is started, each reported in one sentence."""

import fcntl
import os
import socket
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.core.exceptions import ImproperlyConfigured

from config import env, ports
from config.services import SERVICES, Service

REDIS_SECONDS = 2.0
DATABASE_SECONDS = 2.0
POSTGRESQL_PORT = 5432


class Obstacle(Exception):
    """An obstacle; its message is a sentence that says what to change."""


def take_lock(data_dir: Path) -> int:
    """Take the lock that only one `up` can hold on a data directory; returns its descriptor, for children too.

    It is released when the last process that has it ends, however that ends. Raises Obstacle when it is taken.
    """
    descriptor = os.open(data_dir / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.read(descriptor, 20).decode(errors="replace").strip()
        os.close(descriptor)
        raise Obstacle(
            f"Rollcall is running on the data directory {data_dir} already (process {holder}): "
            "stop that one first, or set ROLLCALL_DATA_DIR to another directory."
        ) from error
    os.truncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return descriptor


def check_ports(host: str = "127.0.0.1") -> None:
    """Raises Obstacle, which names every port that two services share or that cannot be listened on."""
    by_port: dict[int, list[str]] = {}
    for service in SERVICES.values():
        by_port.setdefault(env.port(service), []).append(f"{service.variable_prefix}_PORT")
    shared = [f"{' and '.join(names)} are both {port}" for port, names in by_port.items() if len(names) > 1]
    if shared:
        raise Obstacle(f"{'; '.join(shared)}: set each to a port of its own.")
    refusals = {names[0]: (port, ports.refusal(host, port)) for port, names in by_port.items()}
    taken = {name: f"port {port} ({reason})" for name, (port, reason) in refusals.items() if reason}
    if taken:
        free = "a free port" if len(taken) == 1 else "free ports"
        raise Obstacle(f"Cannot listen on {host}, {', '.join(taken.values())}: set {', '.join(taken)} to {free}.")


def check_settings() -> None:
    """Raises Obstacle, which names every setting of a service that makes no sense."""
    complaints: dict[str, None] = {}
    for name in SERVICES:
        try:
            import_module(f"config.settings.{name}")
        except ImproperlyConfigured as error:
            # A problem that all services share is reported once.
            complaints[str(error)] = None
    if complaints:
        raise Obstacle(" ".join(complaints))


def check_databases(services: Iterable[Service] = SERVICES.values()) -> None:
    """Raises Obstacle, which names the setting of every database on a server that cannot be reached.

    Whether it lets us in, the preparation finds out.
    """
    complaints = []
    for service in services:
        database = env.database(service)
        host, port = database.get("HOST") or "", database.get("PORT") or POSTGRESQL_PORT
        # A socket's directory, or several hosts of which one may be away.
        if database["ENGINE"] != "config.postgresql" or not host or "/" in host or "," in host:
            continue
        try:
            socket.create_connection((host, int(port)), timeout=DATABASE_SECONDS).close()
        except OSError as error:
            reason = error.strerror or str(error)
            variable = f"{service.variable_prefix}_DATABASE_URL"
            complaints.append(
                f"The database of {service.name} at {host}:{port} cannot be reached ({reason}): start it, or set "
                f"{variable} to another."
            )
    if complaints:
        raise Obstacle(" ".join(complaints))


def check_redis(url: str) -> None:
    """Raises Obstacle when no Redis answers there."""
    try:
        ping(url)
    except (OSError, ValueError) as error:
        reason = str(error).rstrip(".")
        parts = urlsplit(url)
        credentials, at, address = parts.netloc.rpartition("@")
        user = credentials.partition(":")[0]
        shown = urlunsplit(parts._replace(netloc=f"{user}{at}{address}" if user else address))
        raise Obstacle(
            f"The Redis at {shown} cannot be reached ({reason}): "
            "start it, set REDIS_URL to one that runs, or unset REDIS_URL to have one started here."
        ) from error


def ping(url: str) -> None:
    """Raises OSError or ValueError when no Redis answers at `url`."""
    parts = urlsplit(url)
    if parts.scheme == "unix" and not (parts.netloc or parts.query):
        # The one that is started here: to import the client takes longer than Redis to start.
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(REDIS_SECONDS)
            connection.connect(parts.path)
            connection.sendall(b"PING\r\n")
            if not connection.recv(64).startswith(b"+PONG"):
                raise ConnectionError("it does not answer as Redis does")
        return
    import redis

    try:
        with redis.Redis.from_url(url, socket_connect_timeout=REDIS_SECONDS, socket_timeout=REDIS_SECONDS) as client:
            client.ping()
    except redis.RedisError as error:
        raise ConnectionError(str(error)) from error
