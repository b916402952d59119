"""The command-line names of the members that the registry may refuse, for its error messages."""

from typing import Final

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
