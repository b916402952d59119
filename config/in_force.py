"""The settings in force: every process that serves leaves its own in the data directory, secrets masked.

So the registry's admin shows those of the whole system as its processes have read them, and no service has to answer
for its settings over the network.
"""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings

from config import masking

# Settings that compose Django's parts; an operator does not change them.
WIRING = frozenset(
    {
        *("INSTALLED_APPS", "MIDDLEWARE", "TEMPLATES", "UNFOLD", "REST_FRAMEWORK", "LOGGING", "NATIVE_LANES"),
        *("WEBSOCKET_LANES", "BASE_DIR", "SERVICE", "SERVICES", "SILENCED_SYSTEM_CHECKS", "CONTENT_SECURITY_POLICY"),
        *("HOUSEKEEPING", "OWN_TO_EACH_DATABASE"),
    }
)


@dataclass(frozen=True, kw_only=True)
class InForce:
    """The settings that a service's newest serving process read at its start."""

    read_at: datetime
    process: int
    values: dict[str, Any]


def own() -> dict[str, Any]:
    """Each setting that this service's settings module names, as this process has it, masked."""
    names = [name for name in dir(import_module(f"config.settings.{settings.SERVICE.name}")) if name.isupper()]
    shown = [name for name in names if name not in WIRING and hasattr(settings, name)]
    masked = {name: masking.masked(getattr(settings, name), name) for name in shown}
    plain: dict[str, Any] = json.loads(json.dumps(masked, default=str))
    return plain


def publish() -> None:
    """Called once by a process that serves, as it begins (settings.WHEN_SERVING)."""
    path = _path(settings.SERVICE.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps({"read_at": datetime.now(UTC).timestamp(), "process": os.getpid(), "values": own()}))
    draft.replace(path)


def published(service: str) -> InForce | None:
    """The settings that a service published; None when it has not served from this data directory."""
    try:
        found = json.loads(_path(service).read_text())
        return InForce(
            read_at=datetime.fromtimestamp(found["read_at"], UTC), process=found["process"], values=found["values"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _path(service: str) -> Path:
    return Path(settings.DATA_DIR) / "run" / f"{service}.settings.json"
