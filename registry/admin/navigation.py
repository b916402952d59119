"""The admin's sidebar."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from config.admin import look as admin_look
from config.admin.look import item, list_of


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar's links, each with the permission that its page wants."""
    instances, services = list_of("registry_instance"), reverse("admin:registry_services")
    is_service = request.path.startswith(services)
    operations = reverse("admin:registry_operation", args=["x"]).removesuffix("x/")
    is_instance = request.path.startswith(instances) and not request.path.startswith((services, operations))
    return [
        {
            "title": "Registry",
            "items": [
                admin_look.overview(request, "registry.view_instance"),
                item("Services", "hub", services, "registry.view_instance", active=is_service),
                item("Instances", "dns", instances, "registry.view_instance", active=is_instance),
                item("Maintenance", "build", list_of("registry_maintenance"), "registry.view_maintenance"),
                item("Journal", "history", list_of("registry_journalentry"), "registry.view_journalentry"),
                item("Deliveries", "outgoing_mail", list_of("registry_delivery"), "registry.view_delivery"),
            ],
        },
        admin_look.access(settings_permissions=["registry.view_settings"]),
        admin_look.elsewhere(),
    ]
