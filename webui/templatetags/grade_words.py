"""Grades in words and marks, as pages show them."""

from django import template

from webui import entry
from webui.upstream.grading import Grade, Status

register = template.Library()


@register.filter
def grade_words(grade: Grade | None) -> str:
    """`8 late`, `excused`, or `blank`."""
    if grade is None:
        return "blank"
    status = "" if grade.status is Status.NONE else grade.status.value
    return " ".join(filter(None, (grade.score, status))) or "blank"


@register.filter
def seen(grade: Grade) -> str:
    return entry.write_seen(grade)


@register.filter
def letter_class(letter: str | None) -> str:
    """One colour for each letter, whatever sign follows it."""
    return f"letter-{letter[0].lower()}" if letter else ""
