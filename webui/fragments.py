"""Fragments of pages with hundreds of rows, written in Jinja2: compiled, they take a fraction of the time.

They lie in webui/jinja2/; a page of Django's templates includes one by `{% fragment "webui/grades/book_rows.html" %}`,
with all that the page was given. Texts are escaped as there, and `_()` marks those to be translated.
"""

from functools import cache
from typing import Any

from django.template.defaultfilters import date
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from jinja2 import Environment, StrictUndefined

from webui import cells, grade_charts
from webui.figures import duration
from webui.templatetags import grade_words, marks, times


def environment(**options: Any) -> Environment:
    """Make Jinja2's environment for Django's settings, which ask for autoescaping."""
    made = Environment(**{**options, "undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True})  # noqa: S701 -- see above
    made.globals |= {
        "_": gettext,
        "ngettext": ngettext,
        "url": _url,
        "static": static,
        "icon": icon,
        "Place": cells.Place,
        "BAR_WIDTH": grade_charts.BAR_WIDTH,
    }
    made.filters |= {
        "age": times.age,
        "clock": times.clock,
        "date": date,
        "duration": duration,
        "grade_words": grade_words.grade_words,
        "marked": marks.marked,
        "moment": times.moment,
        "reason_words": grade_words.reason_words,
        "source_words": grade_words.source_words,
    }
    return made


@cache
def icon(name: str) -> SafeString:
    """The drawing of this name, from webui/templates/webui/icons/."""
    return render_to_string(f"webui/icons/{name}.svg")


def _url(name: str, *arguments: object) -> str:
    return reverse(name, args=arguments)
