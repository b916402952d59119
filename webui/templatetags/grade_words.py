"""Grades in words and marks, as pages show them."""

from collections.abc import Mapping

from django import template
from django.utils.translation import gettext as _

from webui import entry
from webui.cells import Place
from webui.upstream.grading import Change, Content, Grade, Status

register = template.Library()


@register.filter
def grade_words(grade: Grade | Content | None) -> str:
    """`8 late`, `excused`, or `blank`."""
    if grade is None:
        return "blank"
    status = "" if grade.status is Status.NONE else grade.status.value
    return " ".join(filter(None, (grade.score, status))) or "blank"


@register.filter
def place(change: Change) -> Place:
    """The cell that a change is of."""
    return Place(student=change.student, assignment=change.assignment)


@register.filter
def item(mapping: Mapping[int, str], key: int) -> str | None:
    return mapping.get(key)


@register.filter
def source_words(source: str) -> str:
    match source:
        case "single":
            return _("typed")
        case "bulk":
            return _("many at once")
        case "import":
            return _("a file")
        case "undo":
            return _("undo")
    return source


@register.filter
def action_words(action: str) -> str:
    """An import's action on a person, in words."""
    words = {
        "create": _("new student, enrolled"),
        "enrol": _("enrolled"),
        "change": _("section or state changes"),
    }
    return words.get(action, action)


@register.filter
def seen(grade: Grade) -> str:
    return entry.write_seen(grade)


@register.filter
def letter_class(letter: str | None) -> str:
    """One colour for each letter, whatever sign follows it."""
    return f"letter-{letter[0].lower()}" if letter else ""
