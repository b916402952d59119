"""The verdict: what a probe's result makes of an instance. Pure.

Thresholds count equal results in a row, as Consul does. Flap damping is BGP's (RFC 2439): each change of verdict adds
to a penalty that halves every HALF_LIFE_SECONDS; above SUPPRESS_AT the instance is held critical until the penalty has
decayed below REUSE_BELOW, which takes at most three half-lives of steadiness, because the penalty is capped.
"""

import enum
from typing import NamedTuple

from registry.models import Status

HALF_LIFE_SECONDS = 60.0
SUPPRESS_AT = 5.0
REUSE_BELOW = 1.0
PENALTY_CAP = 8.0


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


class Thresholds(NamedTuple):
    failures_before_critical: int
    successes_before_passing: int


class Health(NamedTuple):
    """What is known of an instance between two probes; a tuple, because thousands are made a second.

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
        """What everybody is told: the verdict, but critical while damped."""
        return Status.CRITICAL if self.is_damped else self.verdict


def judge(health: Health, finding: Finding, *, thresholds: Thresholds, now: float) -> Health:
    """The health after one more result. `now` must not go backwards; should it, the penalty does not decay."""
    if finding is Finding.INCONCLUSIVE:
        return health
    counted, failures, successes = _counted(health, finding, thresholds)
    penalty = decayed(health, now=now)
    if _flipped(health.verdict, counted):
        penalty = min(penalty + 1, PENALTY_CAP)
    is_damped = penalty >= REUSE_BELOW if health.is_damped else penalty >= SUPPRESS_AT
    return Health(counted, failures, successes, penalty, now, is_damped)


def decayed(health: Health, *, now: float) -> float:
    """The penalty as it stands now."""
    elapsed = max(0.0, now - health.penalty_at)
    return float(health.penalty * 0.5 ** (elapsed / HALF_LIFE_SECONDS))


def _counted(health: Health, finding: Finding, thresholds: Thresholds) -> tuple[str, int, int]:
    """The verdict, and the failures and successes in a row."""
    if finding in (Finding.FAILURE, Finding.DEAD):
        failures = health.failures + 1
        fails = finding is Finding.DEAD or failures >= thresholds.failures_before_critical
        return (Status.CRITICAL.value if fails else health.verdict), failures, 0
    successes = health.successes + 1
    good = Status.WARNING if finding is Finding.WARNING else Status.PASSING
    serves = successes >= thresholds.successes_before_passing or _is_good(health.verdict)
    return (good.value if serves else health.verdict), 0, successes


def _flipped(before: str, after: str) -> bool:
    """Between serving and not serving; the first verdict of all, and a warning, are no flapping."""
    return before != Status.STARTING and _is_good(before) != _is_good(after)


def _is_good(verdict: str) -> bool:
    return verdict in (Status.PASSING, Status.WARNING)
