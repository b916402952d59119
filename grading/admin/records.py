"""The history of grades and the batches, for reading only."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from config.admin.pages import ReadOnlyAdmin
from grading.models import GradeChange, ImportBatch


@admin.register(GradeChange)
class GradeChangeAdmin(ReadOnlyAdmin):
    list_display = ["at", "student", "assignment", "version", "before", "after", "author", "source", "via", "batch"]
    list_filter = ["source"]
    search_fields = ["author", "grade__student__username", "grade__student__name", "grade__assignment__title"]
    ordering = ["-pk"]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[GradeChange]":
        found: QuerySet[GradeChange] = super().get_queryset(request)
        return found.select_related("grade__student", "grade__assignment", "batch")

    def student(self, change: GradeChange) -> str:
        return change.grade.student.name

    def assignment(self, change: GradeChange) -> str:
        return change.grade.assignment.title

    def before(self, change: GradeChange) -> str:
        return words(change.score_before, change.status_before) if change.version > 1 else ""

    def after(self, change: GradeChange) -> str:
        return words(change.score_after, change.status_after)


@admin.register(ImportBatch)
class ImportBatchAdmin(ReadOnlyAdmin):
    list_display = ["id", "course", "source", "content", "progress", "author", "created_at", "filename", "rows_total"]
    list_filter = ["source", "progress"]
    search_fields = ["author", "filename", "course__code"]
    fields = [*list_display, "via", "finished_at", "rows_done", "undoes"]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[ImportBatch]":
        found: QuerySet[ImportBatch] = super().get_queryset(request)
        return found.select_related("course").defer("file", "preview", "outcome")


def words(score: Any, status: str) -> str:
    shown = "blank" if score is None else f"{score.normalize():f}"
    return shown if status == "none" else f"{shown}, {status}"
