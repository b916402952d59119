"""The last good answer of each question, shown with its age while the one who gives it is away."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from django.apps import apps
from django.conf import settings
from django.utils import timezone

from webui.upstream.exchange import UpstreamDown

Value = TypeVar("Value")
# An answer of yesterday misleads more than it helps.
MAX_AGE = timedelta(days=1)
MAX_ENTRIES = 256


@dataclass(frozen=True, kw_only=True)
class Answer(Generic[Value]):
    """`outage` says why this is not the present; without a value nothing was known before."""

    value: Value | None
    at: datetime | None
    outage: UpstreamDown | None = None


class Answers:
    """Keeps the answers that were asked for last, as they are: a board of 500 services takes longer to pickle than to
    show."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Answer[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str, *, now: datetime) -> Answer[Any] | None:
        found = self._kept.get(key)
        return found if found is not None and found.at is not None and now - found.at < MAX_AGE else None

    def put(self, key: str, answer: Answer[Any]) -> None:
        with self._lock:
            self._kept[key] = answer
            self._kept.move_to_end(key)
            while len(self._kept) > MAX_ENTRIES:
                self._kept.popitem(last=False)


def answers() -> Answers:
    """This process's answers, which the app owns."""
    app: Any = apps.get_app_config("webui")
    owned: Answers = app.answers
    return owned


def ask(key: str, question: Callable[[], Value]) -> Answer[Value]:
    """Ask, unless a fresh answer is known: what many look at is asked once a second for all of them."""
    now = timezone.now()
    known: Answer[Value] | None = answers().get(key, now=now)
    if known and known.at and abs(now - known.at) < timedelta(seconds=settings.ANSWERS_FRESH_SECONDS):
        return known
    try:
        answer = Answer(value=question(), at=now)
    except UpstreamDown as outage:
        return replace(known, outage=outage) if known else Answer(value=None, at=None, outage=outage)
    answers().put(key, answer)
    return answer
