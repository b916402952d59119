"""The admin's sidebar, and the icon of its pages."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse


def icon(request: HttpRequest) -> str:
    return static("registry/icon.svg")


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Each page with the permission that it wants."""
    instances, services = reverse("admin:registry_instance_changelist"), reverse("admin:registry_services")
    is_service = request.path.startswith(services)
    is_instance = request.path.startswith(instances) and not is_service
    return [
        {
            "title": "Registry",
            "items": [
                _item("Services", "hub", services, "registry.view_instance", active=is_service),
                _item("Instances", "dns", instances, "registry.view_instance", active=is_instance),
                _item("Maintenance", "build", _list("registry_maintenance"), "registry.view_maintenance"),
                _item("Journal", "history", _list("registry_journalentry"), "registry.view_journalentry"),
                _item("Deliveries", "outgoing_mail", _list("registry_delivery"), "registry.view_delivery"),
            ],
        },
        {
            "title": "People",
            "items": [
                _item("Users", "person", _list("auth_user"), "auth.view_user"),
                _item("Groups", "group", _list("auth_group"), "auth.view_group"),
                _item("Who did what", "fact_check", _list("admin_logentry"), "admin.view_logentry"),
            ],
        },
    ]


def _list(model: str) -> str:
    return reverse(f"admin:{model}_changelist")


def _item(title: str, icon: str, link: str, permission: str, **members: Any) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": link,
        "permission": lambda request: request.user.has_perm(permission),
        **members,
    }
