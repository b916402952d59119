"""The content of a page: grading's present answer, or its last one to this person, with its age."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy

from webui import last_good, outages


def ask(request: HttpRequest, question: Callable[[], Any], *key: str) -> dict[str, Any]:
    """The page's `content`; with `outage` and the content's time as `stale` where it is old.

    Raises UpstreamDown where this person was not shown it before.
    """
    found = last_good.shelf().ask(question, key=(request.user.get_username(), *key), now=timezone.now())
    if found.error is None:
        return {"content": found.content, "outage": None, "stale": None}
    outage = outages.describe(found.error, effect=gettext_lazy("Nothing can be changed"))
    return {"content": found.content, "outage": outage, "stale": found.at}
