"""The admin's sidebar."""

from typing import Any

from django.http import HttpRequest

from config.admin import look as admin_look
from config.admin.look import item, list_of


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Each page with the permission that it needs."""
    return [
        {
            "title": "Web UI",
            "items": [
                admin_look.overview(request),
                item("Incidents", "warning", list_of("webui_incident"), "webui.view_incident"),
                item("Alert channels", "notifications", list_of("webui_channel"), "webui.view_channel"),
                item("Alerts sent", "outbox", list_of("webui_message"), "webui.view_message"),
                item("Public page", "public", list_of("webui_publicpage"), "webui.view_publicpage"),
                item("Saved searches", "saved_search", list_of("webui_savedsearch"), "webui.view_savedsearch"),
            ],
        },
        admin_look.access(),
        admin_look.elsewhere(),
    ]
