"""The last good answers for each person, shown with their age while the service that gave them is away."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from django.apps import apps

from webui.upstream.exchange import UpstreamDown

# A gradebook of 200 students takes some two megabytes.
MAX_ENTRIES = 48
MAX_AGE = timedelta(hours=12)

Content = TypeVar("Content")


@dataclass(frozen=True, kw_only=True)
class Shown(Generic[Content]):
    """`error` says why the content is not of now but of `at`."""

    content: Content
    at: datetime
    error: UpstreamDown | None = None


class Shelf:
    """Keeps the answers that were asked for last; what one person saw is shown to nobody else."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, ...], Shown[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def ask(self, question: Callable[[], Content], *, key: tuple[str, ...], now: datetime) -> Shown[Content]:
        """The answer, or the last one for this key; raises UpstreamDown where there is neither."""
        try:
            answer = Shown(content=question(), at=now)
        except UpstreamDown as error:
            kept = self._kept.get(key)
            if kept is None or now - kept.at > MAX_AGE:
                raise
            return Shown(content=kept.content, at=kept.at, error=error)
        with self._lock:
            self._kept[key] = answer
            self._kept.move_to_end(key)
            while len(self._kept) > MAX_ENTRIES:
                self._kept.popitem(last=False)
        return answer


def shelf() -> Shelf:
    """This process's shelf, which the app owns."""
    app: Any = apps.get_app_config("webui")
    owned: Shelf = app.shelf
    return owned
