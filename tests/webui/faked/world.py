"""The other services as the web UI meets them over HTTP: their wire formats over a few plain values in memory."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.webui.faked.call import Answer, Call
from tests.webui.faked.grading import Grading
from tests.webui.faked.logsvc import Logsvc
from tests.webui.faked.registry import Registry


@dataclass
class World:
    # Grading in this process, or for a real browser in one of its own.
    grading: Any = field(default_factory=Grading)
    logsvc: Logsvc = field(default_factory=Logsvc)
    registry: Registry = field(default_factory=Registry)
    # Services that break every connection off.
    down: set[str] = field(default_factory=set)
    # What was asked, the latest last.
    asked: deque[str] = field(default_factory=lambda: deque(maxlen=100))

    def answer(self, call: Call) -> Answer:
        answers: dict[str, Callable[[Call], Answer]] = {
            "grading": self.grading.answer,
            "logsvc": self.logsvc.answer,
            "registry": self.registry.answer,
        }
        self.asked.append(call.path)
        return answers[call.service](call)

    def begin_anew(self) -> None:
        """Begin as it was made, at the addresses where it is served now."""
        urls = self.registry.urls
        self.grading = self.grading.begin_anew()
        self.logsvc, self.registry = Logsvc(), Registry(urls=urls)
        self.down.clear()
