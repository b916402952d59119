"""The styles that the pages of every service's admin share, and the parts of the sidebar that all of them have."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse

from config.services import SERVICES

ICONS = {"registry": "hub", "logsvc": "list_alt", "grading": "school", "webui": "web_traffic"}


def mark(request: HttpRequest) -> str:
    return static("rollcall/mark.svg")


def tokens_css(request: HttpRequest) -> str:
    return static("rollcall/tokens.css")


def admin_css(request: HttpRequest) -> str:
    return static("rollcall/admin.css")


def item(title: str, icon: str, link: str, *permissions: str, **members: Any) -> dict[str, Any]:
    """A link of the sidebar, for users with all the permissions."""
    return {
        "title": title,
        "icon": icon,
        "link": link,
        "permission": lambda request: request.user.has_perms(permissions),
        **members,
    }


def list_of(model: str) -> str:
    """The address of the list of a model, such as `grading_course`."""
    return reverse(f"admin:{model}_changelist")


def overview(request: HttpRequest, *permissions: str) -> dict[str, Any]:
    index = reverse("admin:index")
    return item("Overview", "dashboard", index, *permissions, active=request.path == index)


def access(*, settings_permissions: Sequence[str] = ("tokens.view_auditentry", "auth.view_user")) -> dict[str, Any]:
    """The group of the sidebar with accounts, tokens, what people did, and what is set."""
    tokens = [item("Tokens", "key", list_of("tokens_token"), "tokens.view_token")] if settings.TOKEN_SCOPES else []
    return {
        "title": "Access",
        "items": [
            *tokens,
            item("Users", "person", list_of("auth_user"), "auth.view_user"),
            item("Groups", "group", list_of("auth_group"), "auth.view_group"),
            item("Sessions", "devices", reverse("admin-sessions"), "auth.view_user"),
            item("Operations log", "fact_check", list_of("admin_logentry"), "admin.view_logentry"),
            item("Audit log", "policy", list_of("tokens_auditentry"), "tokens.view_auditentry"),
            item("Two-step sign-in", "phonelink_lock", reverse("admin-two-step")),
            item("Settings in force", "tune", reverse("admin-settings"), *settings_permissions),
        ],
    }


def elsewhere() -> dict[str, Any]:
    """The group of the sidebar that leads to the web UI's pages and to the other services' admins."""
    others = [
        {
            "title": service.admin,
            "icon": ICONS[service.name],
            "link": f"{settings.PUBLIC_URLS[service.name]}{settings.ADMIN_PATH}",
            "active": False,
        }
        for service in SERVICES.values()
        if service != settings.SERVICE
    ]
    pages = {"title": "Web UI", "icon": "web", "link": f"{settings.PUBLIC_URLS['webui']}/", "active": False}
    return {"title": "Elsewhere", "separator": True, "items": [pages, *others]}
