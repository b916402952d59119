"""The verdict: the health of an instance after a probe. Pure.

Thresholds count equal results in a row, as Consul does. Flap damping is BGP's (RFC 2439): each change of verdict adds
to a penalty that halves every HALF_LIFE_SECONDS; above SUPPRESS_AT the instance is held critical until the penalty has
decayed below REUSE_BELOW, which takes at most three half-lives of steadiness, because the penalty is capped.
"""

from registry.health.probe import FAILED, Finding, Health, Thresholds
from registry.models import Status

HALF_LIFE_SECONDS = 60.0
SUPPRESS_AT = 5.0
REUSE_BELOW = 1.0
PENALTY_CAP = 8.0


def judge(health: Health, finding: Finding, *, thresholds: Thresholds, now: float) -> Health:
    """The health after one more result. `now` must not go backwards; should it, the penalty does not decay."""
    if finding is Finding.INCONCLUSIVE:
        return health
    verdict, failures, successes = health.verdict, 0, 0
    if finding in FAILED:
        failures = health.failures + 1
        if finding is Finding.DEAD or failures >= thresholds.failures_before_critical:
            verdict = Status.CRITICAL.value
    else:
        successes = health.successes + 1
        if successes >= thresholds.successes_before_passing or _serves(health.verdict):
            verdict = (Status.WARNING if finding is Finding.WARNING else Status.PASSING).value
    penalty = decayed(health, now=now)
    # The first verdict, and a warning, are not flapping.
    if health.verdict != Status.STARTING and _serves(health.verdict) != _serves(verdict):
        penalty = min(penalty + 1, PENALTY_CAP)
    return Health(
        verdict=verdict,
        failures=failures,
        successes=successes,
        penalty=penalty,
        penalty_at=now,
        is_damped=penalty >= (REUSE_BELOW if health.is_damped else SUPPRESS_AT),
    )


def decayed(health: Health, *, now: float) -> float:
    """The penalty as it stands now."""
    elapsed = max(0.0, now - health.penalty_at)
    return float(health.penalty * 0.5 ** (elapsed / HALF_LIFE_SECONDS))


def _serves(verdict: str) -> bool:
    return verdict in (Status.PASSING, Status.WARNING)
