"""Courses with their categories and assignments, terms, scales, students and enrollments."""

from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.checks import InlineModelAdminChecks
from django.core.checks import CheckMessage
from django.db.models import QuerySet
from django.forms.models import BaseModelFormSet, modelformset_factory
from django.http import HttpRequest
from django.utils import timezone

from config.admin.pages import BoundedPaginator, LabelledInline
from grading import totals
from grading.admin.logged import LoggedAdmin
from grading.models import (
    Assignment,
    Category,
    Course,
    Enrollment,
    GradeScale,
    GradeStep,
    Role,
    Section,
    Student,
    Term,
)


class CategoryInline(LabelledInline):
    model = Category
    extra = 0
    fields = ["title", "kind", "weight", "drop_lowest", "drop_highest", "position"]


class SectionInline(LabelledInline):
    model = Section
    extra = 0


class AssignmentFormSet(BaseModelFormSet[Assignment, Any]):
    """The assignments of a course, which they belong to by their category."""

    def __init__(self, *args: Any, instance: Course, save_as_new: bool = False, **options: Any) -> None:
        self.course = instance
        self.choices: list[Any] = []
        options["queryset"] = (
            Assignment.objects.filter(category__course=instance) if instance.pk else Assignment.objects.none()
        )
        super().__init__(*args, **options)

    @classmethod
    def get_default_prefix(cls) -> str:
        return "assignments"

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        field = form.fields["category"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Category.objects.filter(course=self.course) if self.course.pk else Category.objects.none()
        # Read once for all the assignments' rows, and not once for each.
        self.choices = self.choices or list(cast(Iterable[Any], field.choices))
        field.choices = self.choices


class AssignmentChecks(InlineModelAdminChecks):
    """Assignments have no foreign key to a course."""

    def _check_relation(self, obj: Any, parent_model: Any) -> list[CheckMessage]:
        return []

    def _check_exclude_of_parent_model(self, obj: Any, parent_model: Any) -> list[CheckMessage]:
        return []


class AssignmentInline(LabelledInline):
    model = Assignment
    checks_class = AssignmentChecks
    extra = 0
    fields = [
        "title",
        "category",
        "kind",
        "points",
        "due_on",
        "published",
        "posted",
        "extra_credit",
        "omit_from_final",
        "never_drop",
        "position",
    ]

    def get_formset(self, request: HttpRequest, obj: Any = None, **options: Any) -> Any:
        can_change = self.has_change_permission(request, obj)
        return modelformset_factory(
            Assignment,
            formset=AssignmentFormSet,
            fields=self.fields,
            formfield_callback=lambda field, **more: self.formfield_for_dbfield(field, request, **more),
            extra=0,
            # A course that is not stored yet has no categories to put assignments in.
            max_num=None if obj and can_change else 0,
            can_delete=self.has_delete_permission(request, obj),
        )


@admin.register(Course)
class CourseAdmin(LoggedAdmin):
    list_display = ["code", "title", "scheme", "term"]
    list_filter = ["term", "scheme"]
    search_fields = ["code", "title"]
    inlines = [CategoryInline, AssignmentInline, SectionInline]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Every total is computed anew, as after a change over the API."""
        super().save_related(request, form, formsets, change)
        totals.lock(course=form.instance)
        totals.refresh(course=form.instance)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The history of grades is kept; Django refuses what it protects, and this says so before."""
        allowed: bool = super().has_delete_permission(request, obj)
        return allowed and (
            obj is None or not Assignment.objects.filter(category__course=obj, grades__isnull=False).exists()
        )


@admin.register(Term)
class TermAdmin(LoggedAdmin):
    list_display = ["code", "title", "starts_on", "ends_on"]
    search_fields = ["code", "title"]


class GradeStepInline(LabelledInline):
    model = GradeStep
    extra = 0
    min_num = 1


@admin.register(GradeScale)
class GradeScaleAdmin(LoggedAdmin):
    inlines = [GradeStepInline]


@admin.register(Student)
class StudentAdmin(LoggedAdmin):
    paginator = BoundedPaginator
    show_full_result_count = False
    list_display = ["name", "username", "sis_id"]
    search_fields = ["name", "username", "sis_id"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        form = super().get_form(request, obj, change=change, **options)
        if "sis_id" in form.base_fields:
            # No id is null: an empty one would be taken for the id of one student.
            form.base_fields["sis_id"].empty_value = None
        return form


class EnrollmentForm(forms.ModelForm[Enrollment]):
    class Meta:
        model = Enrollment
        fields = ["course", "role", "state", "username", "student", "section"]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        section, course = found.get("section"), found.get("course") or self.instance.course
        if section is not None and section.course_id != course.pk:
            self.add_error("section", "It is a section of another course.")
        return found


@admin.register(Enrollment)
class EnrollmentAdmin(LoggedAdmin):
    form = EnrollmentForm
    paginator = BoundedPaginator
    show_full_result_count = False
    # The latest first, by the key: a university has hundreds of thousands.
    ordering = ["-id"]
    list_display = ["course", "role", "person", "section", "state"]
    list_filter = ["role", "state"]
    search_fields = ["course__code", "username", "student__name", "student__username"]
    autocomplete_fields = ["course", "student"]

    def person(self, enrollment: Enrollment) -> str:
        if enrollment.role == Role.OBSERVER:
            return f"{enrollment.username}, of {enrollment.student}"
        return enrollment.username or str(enrollment.student)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Enrollment]":
        found: QuerySet[Enrollment] = super().get_queryset(request)
        return found.select_related("course", "student", "section")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """The person and the course are fixed once it is made; only the state and the section change."""
        return ["course", "role", "username", "student"] if obj else []

    def save_model(self, request: HttpRequest, obj: Enrollment, form: Any, change: bool) -> None:
        if not change:
            obj.enrolled_at = timezone.now()
        super().save_model(request, obj, form, change)
        if obj.role == Role.STUDENT and obj.student_id is not None:
            totals.refresh(course=obj.course, student_ids=[obj.student_id])

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A student is dropped, not deleted: grades are kept."""
        allowed: bool = super().has_delete_permission(request, obj)
        return allowed and obj is not None and obj.role != Role.STUDENT
