"""The services' statuses, read from the registry over HTTP."""

import http.client
import json
from collections.abc import Iterable

ASK_SECONDS = 2.0
PASSING, ABSENT, AWAY, UNKNOWN = "passing", "not registered", "not answering", "unknown"
# From best to worst.
_STATUSES = (PASSING, "warning", "starting", "critical", "maintenance", "draining")
# The statuses for which waiting does not help: maintenance is an operator's decision, and survives restarts.
SETTLED = frozenset((PASSING, "warning", "maintenance"))


def statuses(names: Iterable[str], *, host: str, port: int, token: str) -> dict[str, str]:
    """The statuses of the named services; the registry itself passes when it answers."""
    others = [name for name in names if name != "registry"]
    connection = http.client.HTTPConnection(host, port, timeout=ASK_SECONDS)
    try:
        connection.request("GET", "/v1/services", headers={"Authorization": f"Bearer {token}"})
        body = json.loads(connection.getresponse().read())
        listed = {entry["service"]: entry for entry in body["services"]}
    except (OSError, http.client.HTTPException, ValueError, TypeError, LookupError):
        return {"registry": AWAY} | dict.fromkeys(others, UNKNOWN)
    finally:
        connection.close()
    found = {"registry": PASSING}
    for name in others:
        counts = listed.get(name, {})
        # The best status that any of the service's instances has.
        found[name] = next((status for status in _STATUSES if counts.get(status)), ABSENT)
    return found
