"""The command-line names of the members that the registry may refuse, for its error messages."""

from collections.abc import Sequence
from typing import Final

from config.problems import Invalid

TARGET: Final = {"/service": "service", "/instance": "instance", "/reason": "--reason"}

DECLARATION: Final = {
    "/service": "service",
    "/instance": "--instance",
    "/url": "url",
    "/requires": "--requires",
    "/tags": "--tag",
    "/zone": "--zone",
    "/version": "--service-version",
    "/heartbeat/kind": "--heartbeat",
    "/heartbeat/url": "--heartbeat-url",
    "/heartbeat/interval_seconds": "--interval",
    "/notify_url": "--notify-url",
    "/notify_secret": "--notify-secret",
}


def check_requires(names: Sequence[str]) -> None:
    """Raises Invalid for several services in one word, which an option that is repeated does not take."""
    for each in names:
        if "," in each:
            options = " ".join(f"--requires {name.strip()}" for name in each.split(",") if name.strip())
            what = f"{each!r} is no service's name: repeat the option for each, {options}."
            raise Invalid("See `errors` for each member.", errors=[{"pointer": "/requires", "detail": what}])
