"""The settings block `ROLLCALL`: what it may hold, what is wrong with it, and what it means."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from ..connection import checked_token, checked_url
from ..decoding import decode
from ..errors import UnexpectedAnswerError
from ..membership import DRAIN_SECONDS
from ..wire import Registration

# Where a project includes this app's URLs, below the service's own address.
NOTIFY_PATH = "/rollcall/notify"
HEARTBEAT_SECONDS = 5.0

_TO_DISCOVER = {"REGISTRY_URL", "TOKEN"}
_TO_JOIN = {"INSTANCE", "URL", "STATE_DIR"}
_REGISTERED = {"SERVICE", "REQUIRES", "TAGS", "ZONE", "VERSION", "WEIGHT", "METADATA"}
_OPTIONAL = _REGISTERED | {"HEARTBEAT", "NOTIFY_URL", "DRAIN_SECONDS"}


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """The block, checked; without a `registration` the process only discovers."""

    registry_url: str
    token: str
    registration: Registration | None
    state_dir: Path | None
    drain_seconds: float


def read() -> Configuration:
    """Read the block. Raises ImproperlyConfigured, which names every fault."""
    block = getattr(settings, "ROLLCALL", None)
    if found := faults(block):
        raise ImproperlyConfigured(" ".join(found))
    assert isinstance(block, dict)
    return Configuration(
        registry_url=block["REGISTRY_URL"],
        token=block["TOKEN"],
        registration=_registration(block) if block.get("SERVICE") else None,
        state_dir=Path(block["STATE_DIR"]) if block.get("STATE_DIR") else None,
        drain_seconds=float(block.get("DRAIN_SECONDS", DRAIN_SECONDS)),
    )


def faults(block: Any) -> list[str]:
    """One sentence for each fault, saying what to change."""
    if not isinstance(block, dict):
        return ["Set ROLLCALL to a dictionary with at least REGISTRY_URL and TOKEN: see docs/client.md."]
    required = _TO_DISCOVER | (_TO_JOIN if block.get("SERVICE") else set())
    missing = [f"ROLLCALL lacks {key}: add it." for key in sorted(required) if not block.get(key)]
    unknown = sorted(set(block) - _TO_DISCOVER - _TO_JOIN - _OPTIONAL)
    return missing + [f"ROLLCALL[{key!r}] is no setting: remove it." for key in unknown] or _wrong_values(block)


def _wrong_values(block: dict[str, Any]) -> list[str]:
    try:
        checked_url(block["REGISTRY_URL"])
        checked_token(block["TOKEN"])
        if block.get("SERVICE"):
            checked_url(block["URL"])
            Path(block["STATE_DIR"])
            float(block.get("DRAIN_SECONDS", DRAIN_SECONDS))
            _registration(block)
    except (ValueError, AttributeError, TypeError) as error:
        return [f"ROLLCALL holds a value that cannot be: {error}"]
    except UnexpectedAnswerError as error:
        return [f"ROLLCALL holds a value of the wrong type: {error}."]
    return []


def _registration(block: dict[str, Any]) -> Registration:
    url = block["URL"].rstrip("/")
    heartbeat = {"kind": "http", "url": f"{url}/healthz", "interval_seconds": HEARTBEAT_SECONDS}
    optional = {
        key.lower(): list(block[key]) if isinstance(block[key], tuple) else block[key]
        for key in _REGISTERED
        if key in block
    }
    return decode(
        Registration,
        {
            **optional,
            "instance": block["INSTANCE"],
            "url": url,
            "notify_url": block.get("NOTIFY_URL", f"{url}{NOTIFY_PATH}"),
            "heartbeat": block.get("HEARTBEAT", heartbeat),
        },
    )
