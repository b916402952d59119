"""The admin's sidebar."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from config import admin_look


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Each page with the permission that it wants."""
    rules = reverse("admin:logsvc_retentionrule_changelist")
    records, usage = reverse("admin:logsvc_records"), reverse("admin:logsvc_usage")
    is_page = request.path.startswith((records, usage))
    return [
        {
            "title": "Log service",
            "items": [
                _item("Records", "list_alt", records, "logsvc.view_records"),
                _item("Usage", "database", usage, "logsvc.view_records"),
                _item(
                    "Retention",
                    "auto_delete",
                    rules,
                    "logsvc.view_retentionrule",
                    active=request.path.startswith(rules) and not is_page,
                ),
                _item("Saved searches", "saved_search", _list("logsvc_savedsearch"), "logsvc.view_savedsearch"),
                _item("Alert rules", "notifications", _list("logsvc_alertrule"), "logsvc.view_alertrule"),
                _item("Alerts sent", "outbox", _list("logsvc_alertmessage"), "logsvc.view_alertmessage"),
            ],
        },
        {
            "title": "Access",
            "items": [
                _item("Tokens", "key", _list("tokens_token"), "tokens.view_token"),
                _item("Audit log", "fact_check", _list("tokens_auditentry"), "tokens.view_auditentry"),
                _item("Users", "person", _list("auth_user"), "auth.view_user"),
                _item("Groups", "group", _list("auth_group"), "auth.view_group"),
            ],
        },
        admin_look.elsewhere(),
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
