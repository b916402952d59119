"""The admin's sidebar."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from config import admin_look


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Each page with the permission that it needs."""
    return [
        {
            "title": "Courses",
            "items": [
                _item("Courses", "school", "grading_course", "grading.view_course"),
                _item("Terms", "calendar_month", "grading_term", "grading.view_term"),
                _item("Grade scales", "straighten", "grading_gradescale", "grading.view_gradescale"),
                _item("Students", "groups", "grading_student", "grading.view_student"),
                _item("Enrollments", "how_to_reg", "grading_enrollment", "grading.view_enrollment"),
            ],
        },
        {
            "title": "Records",
            "items": [
                _item("History of grades", "history", "grading_gradechange", "grading.view_gradechange"),
                _item("Batches", "upload_file", "grading_importbatch", "grading.view_importbatch"),
            ],
        },
        {
            "title": "Access",
            "items": [
                _item("Users", "person", "auth_user", "auth.view_user"),
                _item("Groups", "group", "auth_group", "auth.view_group"),
                _item("Tokens", "key", "tokens_token", "tokens.view_token"),
                _item("Audit log", "policy", "tokens_auditentry", "tokens.view_auditentry"),
                _item("Changes in the admin", "fact_check", "admin_logentry", "admin.view_logentry"),
            ],
        },
        admin_look.elsewhere(),
    ]


def _item(title: str, icon: str, model: str, permission: str) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse(f"admin:{model}_changelist"),
        "permission": lambda request: request.user.has_perm(permission),
    }
