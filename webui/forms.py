"""The forms by which a course and what is in it are made and changed: their fields, and what to send of them.

Whether a value may be stored is for grading to say; a form keeps what was typed while it is refused.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from webui.upstream.grading_answers import Category, CourseInFull, Enrollment, Scale, Section, Term

Text = str | Promise


@dataclass(frozen=True, kw_only=True)
class Field:
    name: str
    label: Text
    # text, number, date, check or select
    kind: str = "text"
    value: Any = ""
    help: Text = ""
    choices: Sequence[tuple[str, Text]] = ()
    is_required: bool = False
    # The value to send for an empty field; None leaves the member out.
    blank: Any = ...

    @property
    def is_checked(self) -> bool:
        return self.kind == "check" and bool(self.value)

    def member(self, form: Mapping[str, str]) -> Any:
        """The field's value in grading's terms."""
        if self.kind == "check":
            return bool(form.get(self.name))
        text = form.get(self.name, "").strip()
        if not text:
            return self.blank
        if self.kind == "number":
            return text.replace(",", ".", 1)
        if self.kind in ("whole", "id"):
            return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else text
        return text


def fill(fields: Iterable[Field], values: Any) -> list[Field]:
    """The fields with the members of an object, or with what a form held."""
    if isinstance(values, Mapping):
        return [replace(field, value=values.get(field.name, "")) for field in fields]
    found = ((field, getattr(values, field.name)) for field in fields)
    return [replace(field, value="" if value is None else value) for field, value in found]


def members(fields: Iterable[Field], form: Mapping[str, str]) -> dict[str, Any]:
    found = {field.name: field.member(form) for field in fields}
    return {name: value for name, value in found.items() if value is not ...}


_KINDS = (("homework", _("homework")), ("test", _("test")), ("quiz", _("quiz")))
_SCHEMES = (("weighted", _("weighted categories")), ("points", _("all points together")))


def course_fields(terms: Sequence[Term], scales: Sequence[Scale], *, is_new: bool) -> list[Field]:
    code = Field(
        name="code",
        label=_("Code"),
        is_required=True,
        help=_("Lower-case letters, digits and -, such as algebra-1; it stays as it is."),
    )
    rest = [
        Field(name="title", label=_("Title"), is_required=True),
        Field(
            name="term",
            label=_("Term"),
            kind="select",
            choices=[("", _("none")), *((each.code, each.title) for each in terms)],
            blank=None,
        ),
        Field(name="scheme", label=_("How totals are worked out"), kind="select", choices=_SCHEMES, value="weighted"),
        Field(
            name="scale",
            label=_("Letters"),
            kind="id",
            choices=[("", _("A from 94 down to F")), *((str(each.id), each.title) for each in scales)],
            blank=None,
            help=_("Every letter of the course follows at once, also of grades that are there already."),
        ),
    ]
    return [code, *rest] if is_new else rest


def category_fields() -> list[Field]:
    return [
        Field(name="title", label=_("Title"), is_required=True),
        Field(name="kind", label=_("Kind"), kind="select", choices=_KINDS, value="homework"),
        Field(name="weight", label=_("Weight"), kind="number", value="0", help=_("Percent of the total.")),
        Field(name="drop_lowest", label=_("Drop the lowest"), kind="whole", value=0, help=_("How many results.")),
        Field(name="drop_highest", label=_("Drop the highest"), kind="whole", value=0, help=_("How many results.")),
    ]


def assignment_fields(categories: Sequence[Category]) -> list[Field]:
    choices = [(str(each.id), each.title) for each in categories]
    return [
        Field(name="title", label=_("Title"), is_required=True),
        Field(name="category", label=_("Category"), kind="id", choices=choices),
        Field(name="kind", label=_("Kind"), kind="select", choices=_KINDS, value="homework"),
        Field(name="points", label=_("Points"), kind="number", is_required=True),
        Field(name="due_on", label=_("Due on"), kind="date", blank=None),
        Field(name="published", label=_("Published: students see it"), kind="check", value=True),
        Field(
            name="posted", label=_("Posted: students see its grades, and totals count them"), kind="check", value=True
        ),
        Field(name="extra_credit", label=_("Extra credit: adds to the score, not to the points"), kind="check"),
        Field(name="omit_from_final", label=_("Does not count towards the total"), kind="check"),
        Field(name="never_drop", label=_("Is never dropped"), kind="check"),
    ]


def section_fields() -> list[Field]:
    return [Field(name="title", label=_("Title"), is_required=True)]


def student_fields(sections: Sequence[Section]) -> list[Field]:
    return [
        Field(name="name", label=_("Name"), is_required=True),
        Field(
            name="username", label=_("Username"), is_required=True, help=_("The name that the student signs in with.")
        ),
        Field(name="sis_id", label=_("SIS id"), help=_("From your student information system, if any.")),
        _section_field(sections),
    ]


def enrollment_fields(sections: Sequence[Section]) -> list[Field]:
    states = (("active", _("active")), ("completed", _("completed")), ("dropped", _("dropped: left the course")))
    return [
        Field(name="state", label=_("State"), kind="select", choices=states, value="active"),
        _section_field(sections),
    ]


def staff_fields() -> list[Field]:
    roles = (("teacher", _("teacher")), ("assistant", _("assistant: grades, but does not change the course")))
    return [
        Field(name="username", label=_("Username"), is_required=True),
        Field(name="role", label=_("Role"), kind="select", choices=roles, value="assistant"),
    ]


def observer_fields(students: Iterable[Enrollment]) -> list[Field]:
    choices = [(str(each.student.id), each.student.name) for each in students if each.student is not None]
    return [
        Field(
            name="username",
            label=_("Username"),
            is_required=True,
            help=_("The name that the observer signs in with; the account is in the group “observers”."),
        ),
        Field(name="student", label=_("Whom they observe"), kind="id", choices=choices),
    ]


def fields_of(kind: str, course: CourseInFull, *, is_new: bool) -> list[Field]:
    match kind:
        case "categories":
            return category_fields()
        case "assignments":
            return assignment_fields(course.categories)
        case "sections":
            return section_fields()
        case "students":
            return student_fields(course.sections)
    return staff_fields() if is_new else enrollment_fields(course.sections)


def _section_field(sections: Sequence[Section]) -> Field:
    choices: list[tuple[str, Text]] = [("", _("none")), *((str(each.id), each.title) for each in sections)]
    return Field(name="section", label=_("Section"), kind="id", choices=choices, blank=None)
