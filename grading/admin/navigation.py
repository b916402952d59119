"""The admin's sidebar."""

from typing import Any

from django.http import HttpRequest

from config.admin import look as admin_look
from config.admin.look import item, list_of


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Each page with the permission that it needs."""
    return [
        {
            "title": "Courses",
            "items": [
                admin_look.overview(request),
                item("Courses", "school", list_of("grading_course"), "grading.view_course"),
                item("Terms", "calendar_month", list_of("grading_term"), "grading.view_term"),
                item("Grade scales", "straighten", list_of("grading_gradescale"), "grading.view_gradescale"),
                item("Students", "groups", list_of("grading_student"), "grading.view_student"),
                item("Enrollments", "how_to_reg", list_of("grading_enrollment"), "grading.view_enrollment"),
            ],
        },
        {
            "title": "Records",
            "items": [
                item("History of grades", "history", list_of("grading_gradechange"), "grading.view_gradechange"),
                item("Batches", "upload_file", list_of("grading_importbatch"), "grading.view_importbatch"),
            ],
        },
        admin_look.access(),
        admin_look.elsewhere(),
    ]
