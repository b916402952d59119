"""What the registry says of the services, asked over HTTP as anybody asks it."""

import http.client
import json
from collections.abc import Iterable
from typing import Any

ASK_SECONDS = 2.0
PASSING, ABSENT, AWAY, UNKNOWN = "passing", "not registered", "not answering", "unknown"
# From the best to the worst.
_STATUSES = (PASSING, "warning", "starting", "critical", "maintenance", "draining")
# What will not become better by being waited for: maintenance is an operator's word, and survives restarts.
SETTLED = frozenset((PASSING, "warning", "maintenance"))


def statuses(names: Iterable[str], *, host: str, port: int, token: str) -> dict[str, str]:
    """The status of each service that `names` holds; the registry itself passes when it answers for the others."""
    others = [name for name in names if name != "registry"]
    listed = _services(host, port, token)
    if listed is None:
        return {"registry": AWAY} | dict.fromkeys(others, UNKNOWN)
    return {"registry": PASSING} | {name: _status(listed.get(name)) for name in others}


def _services(host: str, port: int, token: str) -> dict[str, Any] | None:
    connection = http.client.HTTPConnection(host, port, timeout=ASK_SECONDS)
    try:
        connection.request("GET", "/v1/services", headers={"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
        body = json.loads(response.read())
        return {entry["service"]: entry for entry in body["services"]}
    except (OSError, http.client.HTTPException, ValueError, TypeError, LookupError):
        return None
    finally:
        connection.close()


def _status(entry: dict[str, Any] | None) -> str:
    """The best that any of a service's instances has."""
    counts = entry or {}
    return next((status for status in _STATUSES if counts.get(status)), ABSENT)
