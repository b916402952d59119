"""The last good answers of other services, shown with their age while the service that gave them is away."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from django.apps import apps
from django.conf import settings
from django.utils import timezone

from webui.upstream.exchange import UpstreamDown

Value = TypeVar("Value")


@dataclass(frozen=True, kw_only=True)
class Answer(Generic[Value]):
    """`outage` says why this is not the present; without `at` nothing was known before."""

    value: Value | None
    at: datetime | None
    outage: UpstreamDown | None = None


class LastGood:
    """Keeps the answers that were asked for last, in memory: a board of 500 services takes longer to pickle than to
    show."""

    def __init__(self, *, max_entries: int, max_age: timedelta) -> None:
        self._max_entries = max_entries
        self._max_age = max_age
        self._kept: OrderedDict[Hashable, Answer[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def ask(self, key: Hashable, question: Callable[[], Value], *, now: datetime) -> Answer[Value]:
        """The answer of now, or the last one for this key with the reason why there is none now."""
        try:
            answer = Answer(value=question(), at=now)
        except UpstreamDown as outage:
            known = self.get(key, now=now)
            return replace(known, outage=outage) if known else Answer(value=None, at=None, outage=outage)
        self.put(key, answer)
        return answer

    def get(self, key: Hashable, *, now: datetime) -> Answer[Any] | None:
        found = self._kept.get(key)
        return found if found is not None and found.at is not None and now - found.at < self._max_age else None

    def put(self, key: Hashable, answer: Answer[Any]) -> None:
        with self._lock:
            self._kept[key] = answer
            self._kept.move_to_end(key)
            while len(self._kept) > self._max_entries:
                self._kept.popitem(last=False)


def for_all() -> LastGood:
    # An answer of yesterday misleads more than it helps.
    return LastGood(max_entries=256, max_age=timedelta(days=1))


def for_each_person() -> LastGood:
    # A gradebook of 200 students takes some two megabytes.
    return LastGood(max_entries=48, max_age=timedelta(hours=12))


def answers() -> LastGood:
    """This process's answers that do not depend on who asks; the app owns them."""
    app: Any = apps.get_app_config("webui")
    owned: LastGood = app.answers
    return owned


def personal_answers() -> LastGood:
    """This process's answers to single people; their keys begin with the username, so that nobody sees another's."""
    app: Any = apps.get_app_config("webui")
    owned: LastGood = app.personal_answers
    return owned


def ask(key: str, question: Callable[[], Value]) -> Answer[Value]:
    """Ask, unless a fresh answer is known: what many look at is asked once a second for all of them."""
    now = timezone.now()
    known: Answer[Value] | None = answers().get(key, now=now)
    if known and known.at and abs(now - known.at) < timedelta(seconds=settings.ANSWERS_FRESH_SECONDS):
        return known
    return answers().ask(key, question, now=now)
