"""The admin's sidebar."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from config import admin_look


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar's links, each with the permission that its page wants."""
    instances, services = reverse("admin:registry_instance_changelist"), reverse("admin:registry_services")
    is_service = request.path.startswith(services)
    others = (services, _page("operation", "x").removesuffix("x/"), _page("settings"), _page("two_step"))
    is_instance = request.path.startswith(instances) and not request.path.startswith(others)
    return [
        {
            "title": "Registry",
            "items": [
                _item("Overview", "dashboard", reverse("admin:index"), "registry.view_instance"),
                _item("Services", "hub", services, "registry.view_instance", active=is_service),
                _item("Instances", "dns", instances, "registry.view_instance", active=is_instance),
                _item("Maintenance", "build", _list("registry_maintenance"), "registry.view_maintenance"),
                _item("Journal", "history", _list("registry_journalentry"), "registry.view_journalentry"),
                _item("Deliveries", "outgoing_mail", _list("registry_delivery"), "registry.view_delivery"),
            ],
        },
        {
            "title": "Access",
            "items": [
                _item("Tokens", "key", _list("tokens_token"), "tokens.view_token"),
                _item("Users", "person", _list("auth_user"), "auth.view_user"),
                _item("Groups", "group", _list("auth_group"), "auth.view_group"),
                _item("Operations log", "fact_check", _list("admin_logentry"), "admin.view_logentry"),
                _item("Audit log", "policy", _list("tokens_auditentry"), "tokens.view_auditentry"),
                _item("Two-step sign-in", "phonelink_lock", _page("two_step"), ""),
                _item("Settings in force", "tune", _page("settings"), "registry.view_settings"),
            ],
        },
        admin_look.elsewhere(),
    ]


def _page(name: str, *arguments: str) -> str:
    return reverse(f"admin:registry_{name}", args=arguments)


def _list(model: str) -> str:
    return reverse(f"admin:{model}_changelist")


def _item(title: str, icon: str, link: str, permission: str, **members: Any) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": link,
        "permission": lambda request: not permission or request.user.has_perm(permission),
        **members,
    }
