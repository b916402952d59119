"""Grades in words and marks, as pages show them."""

from collections.abc import Mapping
from functools import lru_cache

from django import template
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from webui import entry
from webui.cells import Place
from webui.upstream.grading_answers import Change, Content, Grade, Line, Status

register = template.Library()
_WORDS = {
    "blank": gettext_lazy("blank"),
    "missing": gettext_lazy("missing"),
    "late": gettext_lazy("late"),
    "incomplete": gettext_lazy("incomplete"),
    "excused": gettext_lazy("excused"),
    "counted": gettext_lazy("counts"),
    "counted_as_zero": gettext_lazy("not graded, counts as zero"),
    "hidden_as_zero": gettext_lazy("not posted yet, counts as zero"),
    "extra_credit": gettext_lazy("extra credit: adds to the score, not to the points"),
    "dropped_lowest": gettext_lazy("dropped: without it the category's percentage is highest"),
    "dropped_highest": gettext_lazy("dropped: the category leaves out its highest"),
    "not_graded": gettext_lazy("not graded yet"),
    "hidden": gettext_lazy("not posted yet"),
    "omitted": gettext_lazy("does not count towards the total"),
    "unpublished": gettext_lazy("not published yet"),
}


@register.filter
def grade_words(grade: Grade | Content | None) -> str:
    """`8 late`, `excused`, or `blank`."""
    language = get_language()
    if grade is None:
        return _word("blank", language)
    status = "" if grade.status is Status.NONE else _word(grade.status.value, language)
    return " ".join(filter(None, (grade.score, status))) or _word("blank", language)


@register.filter
def reason_words(line: Line) -> str:
    """The reason why a line of a total counts or does not; in grading's words where it is not known here."""
    return _word(line.outcome, get_language()) if line.outcome in _WORDS else line.reason


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
def progress_words(progress: str) -> str:
    """The progress of an import."""
    words = {
        "preview": _("waits for you"),
        "queued": _("waits for a worker"),
        "running": _("is being stored"),
        "done": _("stored"),
        "failed": _("failed"),
    }
    return words.get(progress, progress)


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


@lru_cache(maxsize=256)
def _word(word: str, language: str) -> str:
    """Looked up once in each language: a page has hundreds."""
    return str(_WORDS[word])
