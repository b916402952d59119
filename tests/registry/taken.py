"""A pipeline that only takes."""

from collections.abc import Sequence
from typing import Generic, TypeVar

Job = TypeVar("Job")


class Taken(Generic[Job]):
    room = 100

    def __init__(self) -> None:
        self.taken: list[Job] = []
        self.stalled_seconds = 0.0

    def submit(self, jobs: Sequence[Job], /) -> None:
        self.taken.extend(jobs)

    def is_stalled(self, seconds: float, /) -> bool:
        return self.stalled_seconds > seconds

    def stop(self) -> None:
        self.room = 0
