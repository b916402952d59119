"""The admin's first page: imports that fail or wait, how much there is, the newest changes of grades."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from config import escaping
from config.admin import cells as admin_cells
from config.admin import overview as admin_overview
from config.admin.look import list_of
from config.admin.overview import Figure, Panel
from config.admin.pages import MOST_LISTED
from config.tokens.overview import refusals
from grading.admin.records import words
from grading.models import Course, GradeChange, ImportBatch, Student

SHOWN = 10
# A worker begins an import within seconds; if one waits longer than this, there is no worker.
OVERDUE = timedelta(minutes=2)
# Older failures are not shown.
RECENT = timedelta(days=7)


def overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    wrong: list[str] = []
    figures: list[Figure] = []
    panels: list[Panel] = []
    if request.user.has_perm("grading.view_course"):
        figures += [
            Figure(title="courses", value=_counted(Course), url=list_of("grading_course")),
            Figure(title="students", value=_counted(Student), url=list_of("grading_student")),
        ]
    if request.user.has_perm("grading.view_importbatch"):
        _imports(wrong, figures, panels)
    if request.user.has_perm("grading.view_gradechange"):
        panels.append(_changes())
    if request.user.has_perm("tokens.view_auditentry"):
        figures.append(refusals())
    return context | admin_overview.context(wrong=wrong, figures=figures, panels=panels) if figures else context


def _imports(wrong: list[str], figures: list[Figure], panels: list[Panel]) -> None:
    now, progress = timezone.now(), ImportBatch.Progress
    batches = ImportBatch.objects.select_related("course").defer("file", "preview", "outcome")
    waiting = batches.filter(progress__in=[progress.QUEUED, progress.RUNNING])
    failed = batches.filter(progress=progress.FAILED, created_at__gte=now - RECENT)
    overdue = [each for each in waiting if (each.claimed_at or each.created_at) < now - OVERDUE]
    if overdue:
        wrong.append(f"{len(overdue)} of the imports wait longer than two minutes: is a worker of grading running?")
    url = list_of("grading_importbatch")
    figures += [
        Figure(title="imports under way", value=str(len(waiting)), url=url, state="critical" if overdue else ""),
        Figure(
            title="imports failed in 7 days",
            value=admin_overview.at_most(failed[:MOST_LISTED].count(), MOST_LISTED),
            url=f"{url}?progress__exact={progress.FAILED}",
        ),
    ]
    rows = [
        [
            admin_cells.when(each.created_at),
            each.course.code,
            escaping.visible(each.filename or each.get_source_display()),
            each.get_progress_display(),
            escaping.visible(each.author),
        ]
        for each in batches[:SHOWN]
    ]
    panels.append(
        Panel(
            title="Newest batches",
            headers=["Time", "Course", "What", "Progress", "Author"],
            rows=rows,
            nothing="No file was imported, and no grades were written together, yet.",
            url=url,
        )
    )


def _changes() -> Panel:
    found = GradeChange.objects.select_related("grade__student", "grade__assignment").order_by("-pk")[:SHOWN]
    rows = [
        [
            admin_cells.when(each.at),
            escaping.visible(each.grade.student.name),
            escaping.visible(each.grade.assignment.title),
            words(each.score_after, each.status_after),
            escaping.visible(each.author),
        ]
        for each in found
    ]
    return Panel(
        title="Newest changes of grades",
        headers=["Time", "Student", "Assignment", "Grade", "Author"],
        rows=rows,
        nothing="No grade was entered yet.",
        url=list_of("grading_gradechange"),
    )


def _counted(model: type[Course] | type[Student]) -> str:
    return admin_overview.at_most(model.objects.order_by()[:MOST_LISTED].count(), MOST_LISTED)
