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
    person = request.user.get_username()
    answer = last_good.personal_answers().ask((person, *key), question, now=timezone.now())
    if answer.outage is None:
        return {"content": answer.value, "outage": None, "stale": None}
    if answer.at is None:
        raise answer.outage
    outage = outages.describe(answer.outage, effect=gettext_lazy("Nothing can be changed"))
    return {"content": answer.value, "outage": outage, "stale": answer.at}
