"""A course as its teachers set it up: what it is, its categories and assignments, and who is in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from webui import forms
from webui.outages import explained
from webui.roles import TEACHING, Role, opens_to
from webui.upstream import grading
from webui.upstream.exchange import Refused
from webui.upstream.grading_answers import CourseInFull
from webui.views.refusals import answers_refusals


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of thing that a page makes or changes; `page` is the page to come back to."""

    new: Promise
    change: Promise
    page: str
    # Grading's name for it, where that differs, and the members that are sent besides the form's fields.
    resource: str = ""
    given: Mapping[str, str] = field(default_factory=dict)


KINDS = {
    "categories": Kind(new=gettext_lazy("New category"), change=gettext_lazy("Category"), page="course-setup"),
    "assignments": Kind(new=gettext_lazy("New assignment"), change=gettext_lazy("Assignment"), page="course"),
    "sections": Kind(new=gettext_lazy("New section"), change=gettext_lazy("Section"), page="course-setup"),
    "students": Kind(new=gettext_lazy("Add a student"), change=gettext_lazy("Student"), page="course-students"),
    "enrollments": Kind(
        new=gettext_lazy("Add a teacher or an assistant"),
        change=gettext_lazy("Place in the course"),
        page="course-students",
    ),
    "observers": Kind(
        new=gettext_lazy("Add an observer"),
        change=gettext_lazy("Place in the course"),
        page="course-students",
        resource="enrollments",
        given={"role": "observer"},
    ),
}
# Changed as the enrollments that they are, or not at all.
ONLY_MADE = ("students", "observers")


@require_safe
@opens_to(*TEACHING)
@explained(gettext_lazy("The set-up of this course cannot be shown"))
@answers_refusals
def show_setup(request: HttpRequest, code: str) -> HttpResponse:
    person = request.user.get_username()
    course = grading.course(person, code)
    titles = {each.id: each.title for each in course.categories}
    context = {"course": course, "tab": "setup", "assignments": course.assignments, "titles": titles}
    return render(request, "webui/grades/setup.html", context)


@require_safe
@opens_to(*TEACHING)
@explained(gettext_lazy("The people of this course cannot be shown"))
@answers_refusals
def show_people(request: HttpRequest, code: str) -> HttpResponse:
    person = request.user.get_username()
    people = grading.people(person, code)
    context = {
        "course": people.course,
        "tab": "students",
        "students": [each for each in people.enrollments if each.role == "student"],
        "others": [each for each in people.enrollments if each.role != "student"],
        "sections": {each.id: each.title for each in people.sections},
    }
    return render(request, "webui/grades/people.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@opens_to(Role.TEACHER)
@explained(gettext_lazy("Nothing was saved"))
@answers_refusals
def create_course(request: HttpRequest) -> HttpResponse:
    person = request.user.get_username()
    fields = forms.course_fields(grading.terms(person), grading.scales(person), is_new=True)
    context: dict[str, Any] = {"heading": _("New course"), "back": reverse("courses"), "fields": fields}
    if request.method == "POST":
        try:
            course = grading.create_course(person, forms.members(fields, request.POST))
        except Refused as refusal:
            context |= {"refusal": refusal.detail, "fields": forms.fill(fields, request.POST)}
            return render(request, "webui/grades/form.html", context, status=refusal.status)
        messages.success(request, _("The course was created. Give it categories, assignments and students."))
        return redirect("course-setup", code=course.code)
    return render(request, "webui/grades/form.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@opens_to(*TEACHING)
@explained(gettext_lazy("Nothing was saved"))
@answers_refusals
def change_course(request: HttpRequest, code: str) -> HttpResponse:
    person = request.user.get_username()
    course = grading.course(person, code)
    fields = forms.course_fields(grading.terms(person), grading.scales(person), is_new=False)
    context: dict[str, Any] = {
        "course": course,
        "tab": "setup",
        "heading": _("Course"),
        "back": reverse("course-setup", args=[code]),
        "fields": forms.fill(fields, course),
    }
    if request.method == "POST":
        try:
            grading.change_course(person, code, forms.members(fields, request.POST))
        except Refused as refusal:
            context |= {"refusal": refusal.detail, "fields": forms.fill(fields, request.POST)}
            return render(request, "webui/grades/form.html", context, status=refusal.status)
        return redirect("course-setup", code=code)
    return render(request, "webui/grades/form.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@opens_to(*TEACHING)
@explained(gettext_lazy("Nothing was saved"))
@answers_refusals
def create_thing(request: HttpRequest, code: str, kind: str) -> HttpResponse:
    """A category, an assignment, a section, a student, an observer or a member of the staff."""
    if kind not in KINDS:
        raise Http404
    person, made = request.user.get_username(), KINDS[kind]
    course = grading.course(person, code)
    if kind == "observers":
        enrollments = grading.people(person, code).enrollments
        fields = forms.observer_fields(each for each in enrollments if each.role == "student")
    else:
        fields = forms.fields_of(kind, course, is_new=True)
    context = _context(course, kind, made.new, fields)
    if request.method == "POST":
        try:
            members = {**forms.members(fields, request.POST), **made.given}
            grading.create(person, code, made.resource or kind, members)
        except Refused as refusal:
            context |= {"refusal": refusal.detail, "fields": forms.fill(fields, request.POST)}
            return render(request, "webui/grades/form.html", context, status=refusal.status)
        messages.success(request, _("Saved."))
        if "more" in request.POST:
            return redirect("course-new", code=code, kind=kind)
        return redirect(made.page, code=code)
    context["may_add_more"] = True
    return render(request, "webui/grades/form.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@opens_to(*TEACHING)
@explained(gettext_lazy("Nothing was saved"))
@answers_refusals
def change_thing(request: HttpRequest, code: str, kind: str, key: int) -> HttpResponse:
    if kind not in KINDS or kind in ONLY_MADE:
        raise Http404
    person = request.user.get_username()
    course = grading.course(person, code)
    thing = _find(person, course, kind, key)
    fields = forms.fields_of(kind, course, is_new=False)
    context = _context(course, kind, KINDS[kind].change, forms.fill(fields, thing)) | {"may_delete": True}
    if request.method == "POST":
        try:
            if "delete" in request.POST:
                grading.delete(person, code, kind, key)
            else:
                grading.change(person, code, kind, key, forms.members(fields, request.POST))
        except Refused as refusal:
            kept = fields if "delete" in request.POST else forms.fill(fields, request.POST)
            context |= {"refusal": refusal.detail, "fields": forms.fill(fields, thing) if kept is fields else kept}
            return render(request, "webui/grades/form.html", context, status=refusal.status)
        messages.success(request, _("Deleted.") if "delete" in request.POST else _("Saved."))
        return redirect(KINDS[kind].page, code=code)
    return render(request, "webui/grades/form.html", context)


def _context(course: CourseInFull, kind: str, heading: Any, fields: list[forms.Field]) -> dict[str, Any]:
    page = KINDS[kind].page
    tabs = {"course": "gradebook", "course-setup": "setup", "course-students": "students"}
    return {
        "course": course,
        "tab": tabs[page],
        "heading": heading,
        "back": reverse(page, args=[course.code]),
        "fields": fields,
    }


def _find(person: str, course: CourseInFull, kind: str, key: int) -> Any:
    """Raises Http404."""
    match kind:
        case "categories":
            found: Any = course.categories
        case "sections":
            found = course.sections
        case "assignments":
            found = course.assignments
        case _:
            found = grading.people(person, course.code).enrollments
    for each in found:
        if each.id == key:
            return each
    raise Http404
