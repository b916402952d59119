"""The admin's sidebar."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from config.admin import look as admin_look
from config.admin.look import item, list_of


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Each page with the permission that it wants."""
    rules = list_of("logsvc_retentionrule")
    records, usage = reverse("admin:logsvc_records"), reverse("admin:logsvc_usage")
    is_rule = request.path.startswith(rules) and not request.path.startswith((records, usage))
    return [
        {
            "title": "Log service",
            "items": [
                admin_look.overview(request),
                item("Records", "list_alt", records, "logsvc.view_records"),
                item("Usage", "database", usage, "logsvc.view_records"),
                item("Retention", "auto_delete", rules, "logsvc.view_retentionrule", active=is_rule),
                item("Saved searches", "saved_search", list_of("logsvc_savedsearch"), "logsvc.view_savedsearch"),
                item("Alert rules", "notifications", list_of("logsvc_alertrule"), "logsvc.view_alertrule"),
                item("Alerts sent", "outbox", list_of("logsvc_alertmessage"), "logsvc.view_alertmessage"),
            ],
        },
        admin_look.access(),
        admin_look.elsewhere(),
    ]
