"""`manage.py check` explains what a project lacks to join."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.http.request import validate_host
from django.urls import Resolver404, resolve

from . import configuration


def check_configuration(**kwargs: Any) -> list[checks.CheckMessage]:
    faults = configuration.faults(getattr(settings, "ROLLCALL", None))
    return [checks.Error(fault, id="rollcall.E001") for fault in faults]


def check_reachability(**kwargs: Any) -> list[checks.CheckMessage]:
    """Check that this project answers what the registry will call."""
    block: Any = getattr(settings, "ROLLCALL", None)
    if configuration.faults(block) or not block.get("SERVICE"):
        return []
    return [*_check_host(block["URL"]), *_check_webhooks(block)]


def _check_host(url: str) -> list[checks.CheckMessage]:
    host = urlsplit(url).hostname or ""
    allowed = settings.ALLOWED_HOSTS or (["localhost", "127.0.0.1", "[::1]", ".localhost"] if settings.DEBUG else [])
    if validate_host(f"[{host}]" if ":" in host else host, allowed):
        return []
    return [
        checks.Warning(
            f"The registry calls this service at {url}, and ALLOWED_HOSTS refuses that.",
            hint=f"Add {host!r} to ALLOWED_HOSTS.",
            id="rollcall.W001",
        )
    ]


def _check_webhooks(block: dict[str, Any]) -> list[checks.CheckMessage]:
    """Check the webhooks' address, where this app's own view takes them."""
    if "NOTIFY_URL" in block:
        return []
    try:
        resolve(configuration.NOTIFY_PATH)
    except Resolver404:
        return [
            checks.Warning(
                f"Nothing takes the registry's webhooks at {configuration.NOTIFY_PATH}.",
                hint='Add path("rollcall/", include("registry.client.django.urls")) to the root URLconf, '
                "or set ROLLCALL['NOTIFY_URL'] to None to wait at the registry instead.",
                id="rollcall.W002",
            )
        ]
    return []
