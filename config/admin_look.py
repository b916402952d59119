"""The scripts, styles and links that the pages of every service's admin share."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static

from config.services import SERVICES

ICONS = {"registry": "hub", "logsvc": "list_alt", "grading": "school", "webui": "web"}


def mark(request: HttpRequest) -> str:
    return static("rollcall/mark.svg")


def tokens_css(request: HttpRequest) -> str:
    return static("rollcall/tokens.css")


def admin_css(request: HttpRequest) -> str:
    return static("rollcall/admin.css")


def elsewhere() -> dict[str, Any]:
    """The group of the sidebar that leads to the web UI and to the other services' admins."""
    others = [service for service in reversed(SERVICES.values()) if service != settings.SERVICE and service.page]
    return {
        "title": "Elsewhere",
        "separator": True,
        "items": [
            {
                "title": service.page[0],
                "icon": ICONS[service.name],
                "link": f"{settings.PUBLIC_URLS[service.name]}{service.page[1]}",
                "active": False,
            }
            for service in others
            if service.page
        ],
    }
