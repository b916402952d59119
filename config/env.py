"""The only reader of the environment; a missing or malformed value names its variable."""

import hashlib
import ipaddress
import os
import re
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from config import numbers, privacy
from config.services import Service

# Linux allows 107 bytes in a socket's path, of which supervisord needs eight while it makes one.
UNIX_SOCKET_PATH_LIMIT = 99
BASE_DIR = Path(__file__).resolve().parent.parent

# The engines that Rollcall supports and is tested on.
_ENGINES = ("django.db.backends.postgresql", "django.db.backends.sqlite3")
_POSTGRESQL_OPTIONS = {
    "connect_timeout": 3,
    # Only what asks for it is kept prepared (registry/database/statements.py).
    "prepare_threshold": 5,
    # A process that was stopped, or cut off, amid a transaction keeps its locks from all others no longer; and the
    # server notices within a minute, not after two hours, that a host is gone.
    "options": "-c idle_in_transaction_session_timeout=10s"
    " -c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3",
}
# The names that the registry accepts for instances. Those of this system's instances also name files and processes.
_INSTANCE = re.compile(r"[a-z][a-z0-9-]{0,62}")


def text(name: str, default: str) -> str:
    return os.environ.get(name) or default


def without_settings() -> dict[str, str]:
    """This process's environment, but for the settings that it has."""
    return {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}


def words(name: str, default: tuple[str, ...]) -> list[str]:
    """A comma-separated list."""
    value = os.environ.get(name)
    return [word.strip() for word in value.split(",") if word.strip()] if value else list(default)


def integer(name: str, default: int, *, at_least: int = 1, at_most: int = 2**31 - 1) -> int:
    value = os.environ.get(name)
    if not value:
        return default
    number = int(value) if numbers.is_whole(value) else at_least - 1
    if not at_least <= number <= at_most:
        raise ImproperlyConfigured(
            f"{name}={value!r} is not a whole number from {at_least} to {at_most}: "
            f"set it to one, or unset it for {default}."
        )
    return number


def flag(name: str) -> bool:
    value = os.environ.get(name, "").lower()
    if value not in ("", "0", "no", "off", "false", "1", "yes", "on", "true"):
        raise ImproperlyConfigured(f"{name}={value!r} is neither on nor off: set it to one of these, or unset it.")
    return value in ("1", "yes", "on", "true")


def port(service: Service) -> int:
    return integer(f"{service.variable_prefix}_PORT", service.default_port, at_most=65535)


def url(name: str, default: str, *, schemes: tuple[str, ...] = ("http", "https")) -> str:
    return _checked_url(name, text(name, default), schemes).rstrip("/")


def optional_url(name: str) -> str:
    """Empty where nothing is set."""
    return url(name, "") if text(name, "") else ""


def urls(name: str) -> list[str]:
    """A comma-separated list; empty where nothing is set."""
    return [_checked_url(name, value, ("http", "https")) for value in words(name, ())]


def networks(name: str, default: tuple[str, ...]) -> list[str]:
    """A comma-separated list of IP networks."""
    values = words(name, default)
    for value in values:
        try:
            ipaddress.ip_network(value)
        except ValueError as error:
            raise ImproperlyConfigured(
                f"{name} holds {value!r}, which is not a network ({error}): write it such as 10.0.0.0/8."
            ) from error
    return values


def data_dir() -> Path:
    """`ROLLCALL_DATA_DIR`, made when it is missing, and closed to other users."""
    path = Path(text("ROLLCALL_DATA_DIR", str(BASE_DIR / "var"))).expanduser().absolute()
    try:
        path.mkdir(mode=privacy.DIRECTORY_MODE, parents=True, exist_ok=True)
        privacy.close(path)
    except OSError as error:
        raise ImproperlyConfigured(
            f"The data directory {path} cannot be made ({error.strerror}): "
            "set ROLLCALL_DATA_DIR to a writable directory."
        ) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise ImproperlyConfigured(
            f"The data directory {path} is not writable: set ROLLCALL_DATA_DIR to a directory that is."
        )
    return path


def secret(name: str, *, random_bytes: int = 48) -> str:
    """The variable `name`, else the file of that name under `secrets/` in the data directory.

    The file is made with a random value when neither exists, so that a first start needs no preparation and every
    process of one machine agrees. On several machines set the variable.
    """
    value = os.environ.get(name)
    if value:
        return value
    path = data_dir() / "secrets" / name.lower()
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        if not path.exists():
            draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(random_bytes))
            # If two processes start at the same time, both use the file of the first to link it.
            with suppress(FileExistsError):
                os.link(draft, path)
            draft.unlink()
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"The secret {path} can be neither read nor made ({error.strerror}): set {name}, or make it readable."
        ) from error


def redis_url() -> str:
    """`REDIS_URL`, else the socket of the Redis that `make up` starts, one for each data directory."""
    value = text("REDIS_URL", f"unix://{unix_socket('redis')}")
    if value.startswith("unix:///"):
        return value
    return url("REDIS_URL", value, schemes=("redis", "rediss"))


def unix_socket(name: str) -> Path:
    """The path of a socket of this data directory: inside it, or with temporary files where its path would be too long
    for Linux or mean something else in a URL.
    """
    path = data_dir() / f"{name}.sock"
    if len(os.fsencode(path)) > UNIX_SOCKET_PATH_LIMIT or set("%?#").intersection(str(path)):
        digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
        path = Path(tempfile.gettempdir()) / f"rollcall-{digest}.sock"
    return path


def password(name: str) -> str:
    """A secret as `secret` makes it, but short enough to type."""
    return secret(name, random_bytes=9)


def is_generated(value: str) -> bool:
    """Whether the value is one that `secret` or `password` has made up in this data directory."""
    return any(path.read_text().strip() == value for path in (data_dir() / "secrets").glob("[!.]*"))


def sign_of_life() -> Path | None:
    """The file that this process touches while it makes progress, if a supervisor has named the process."""
    program = text("ROLLCALL_PROGRAM", "")
    return data_dir() / "run" / f"{program}.alive" if re.fullmatch(r"[a-z0-9-]+", program) else None


def encryption_keys(service: Service) -> list[str]:
    """`<SERVICE>_ENCRYPTION_KEYS`, comma-separated, else the file of that name under `secrets/`: see
    config/encryption.py."""
    return [key.strip() for key in secret(f"{service.variable_prefix}_ENCRYPTION_KEYS").split(",") if key.strip()]


def instance(service: Service) -> str:
    """`<SERVICE>_INSTANCE`: the name under which this service's process is registered, and logs."""
    name = f"{service.variable_prefix}_INSTANCE"
    value = text(name, f"{service.name}-1")
    if not _INSTANCE.fullmatch(value):
        raise ImproperlyConfigured(
            f"{name}={value!r} is not a name of an instance: use lower-case letters, digits and '-', "
            "a letter first, at most 63."
        )
    return value


def membership(service: Service, registry_url: str) -> dict[str, Any]:
    """The settings block with which a service of this system joins the registry."""
    prefix = service.variable_prefix
    return {
        "REGISTRY_URL": registry_url,
        "TOKEN": secret(f"{prefix}_REGISTRY_TOKEN"),
        "SERVICE": service.name,
        "INSTANCE": instance(service),
        "URL": url(f"{prefix}_URL", f"http://127.0.0.1:{port(service)}"),
        "REQUIRES": list(service.requires),
        "STATE_DIR": data_dir() / "client",
    }


def database(service: Service) -> dict[str, Any]:
    """`<SERVICE>_DATABASE_URL`, else an SQLite file in the data directory."""
    name = f"{service.variable_prefix}_DATABASE_URL"
    value = text(name, f"sqlite:///{quote(str(data_dir() / f'{service.name}.sqlite3'))}")
    try:
        settings: dict[str, Any] = dict(dj_database_url.parse(value))
    except (ValueError, KeyError):
        settings = {}
    if settings.get("ENGINE") not in _ENGINES:
        raise ImproperlyConfigured(
            f"{name} is not the URL of a PostgreSQL or SQLite database, such as postgres://user:password@host/name: "
            "set it to one."
        )
    settings["CONN_MAX_AGE"] = None
    settings["CONN_HEALTH_CHECKS"] = True
    if settings["ENGINE"] == "django.db.backends.postgresql":
        settings["ENGINE"] = "config.postgresql"
        settings["OPTIONS"] = _POSTGRESQL_OPTIONS | settings.get("OPTIONS", {})
    if settings["ENGINE"] == "django.db.backends.sqlite3":
        settings["ENGINE"] = "config.sqlite"
        settings["CONN_HEALTH_CHECKS"] = False
        settings["OPTIONS"] = {
            # A deferred transaction that begins to write fails at once with "database is locked".
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000;",
        }
        # Tests use a file too: in memory, the threads of one process would not lock each other out.
        settings["TEST"] = {"NAME": f"{tempfile.gettempdir()}/rollcall-test-{service.name}-{os.getpid()}.sqlite3"}
    return settings


def _checked_url(name: str, value: str, schemes: tuple[str, ...]) -> str:
    try:
        parts = urlsplit(value)
        # Encoding also detects a name that no resolver accepts.
        valid = parts.scheme in schemes and bool((parts.hostname or "").encode("idna")) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise ImproperlyConfigured(f"{name}={value!r} is not a URL such as {schemes[0]}://host:port: set it to one.")
    return value
