"""One probe: the claim of it, what was known before, what it found."""

import enum
from typing import NamedTuple

from registry.models import Status


class Finding(enum.Enum):
    """What one probe found."""

    SUCCESS = "success"
    # It serves, but slowly, or asks to be spared.
    WARNING = "warning"
    FAILURE = "failure"
    # Its process is gone, seen twice: its connection closed, and right after it refused another.
    DEAD = "dead"
    # Our own fault, such as no file descriptor left: nothing follows from it about the instance.
    INCONCLUSIVE = "inconclusive"


FAILED = frozenset({Finding.FAILURE, Finding.DEAD})


class Thresholds(NamedTuple):
    failures_before_critical: int
    successes_before_passing: int


class Health(NamedTuple):
    """The health of an instance between two probes; a tuple, because thousands are made a second.

    `verdict` is the status that the thresholds give; one of the two counts is always 0. Times are seconds since the
    epoch.
    """

    verdict: str
    failures: int = 0
    successes: int = 0
    penalty: float = 0.0
    penalty_at: float = 0.0
    is_damped: bool = False

    @property
    def status(self) -> str:
        """The status everybody is told: the verdict, but critical while damped."""
        return Status.CRITICAL if self.is_damped else self.verdict


class Due(NamedTuple):
    """One probe that this process has claimed; to be made at `due_at`.

    A tuple, and as flat as the row it is read from, because thousands are made a second.
    """

    instance_id: int
    due_at: float
    passed_at: float | None
    # Its health before this probe.
    verdict: str
    failures: int
    successes: int
    penalty: float
    penalty_at: float
    is_damped: bool
    # Its declaration.
    service: str
    instance: str
    kind: str
    url: str
    interval_seconds: float
    timeout_seconds: float
    warn_after_seconds: float | None
    failures_before_critical: int
    successes_before_passing: int
    is_kind_chosen: bool
    is_watched: bool
    registered_by: str
    # What everybody is told of it.
    status: str
    is_suspect: bool
    # Proves the claim when the result is written.
    lease_until: float

    @property
    def thresholds(self) -> Thresholds:
        return Thresholds(
            failures_before_critical=self.failures_before_critical,
            successes_before_passing=self.successes_before_passing,
        )

    @property
    def health(self) -> Health:
        return Health(
            verdict=self.verdict,
            failures=self.failures,
            successes=self.successes,
            penalty=self.penalty,
            penalty_at=self.penalty_at,
            # SQLite has no booleans.
            is_damped=bool(self.is_damped),
        )


class Result(NamedTuple):
    """The result of a probe; `detail` is a sentence for people and never counts as a change."""

    due: Due
    finding: Finding
    detail: str
    latency_ms: float | None
    # The kind of heartbeat that this probe has chosen for an instance that declared none.
    chosen_kind: str = ""
