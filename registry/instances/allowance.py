"""The changes that one request may make within its token's limits."""

from config.problems import TooManyRequests
from config.tokens import gate
from config.tokens.holder import Holder
from config.tokens.limits import allowance
from registry.errors import QuotaExceeded, TooManyProbes, TooManyRequirements

INSTANCES = "instances"
CHANGES = "changes_per_minute"
PROBES = "probes_per_second"
REQUIREMENTS = "requirements"
# The journal keeps the metadata with each change: one of more than this counts as several.
BYTES_OF_A_CHANGE = 4096


class Allowance:
    """One request's share of its token's limits. Its changes are counted once, however often storing is tried."""

    def __init__(self, holder: Holder) -> None:
        self._holder = holder
        self._has_spent = False

    @property
    def instances(self) -> int:
        """The most instances that the token may have registered; 0 is no limit."""
        return allowance(self._holder, INSTANCES)

    @property
    def probes(self) -> int:
        """The probes a second that the token's instances may send to one host; 0 is no limit."""
        return allowance(self._holder, PROBES)

    @property
    def requirements(self) -> int:
        """The most services that the token's instances may require together; 0 is no limit."""
        return allowance(self._holder, REQUIREMENTS)

    def spend(self, changes: int) -> TooManyRequests | None:
        """Count the changes that the request makes; returns why none of them may be made."""
        if changes and not self._has_spent:
            try:
                gate.current().limits.spend(self._holder, CHANGES, changes)
            except TooManyRequests as problem:
                return problem
            self._has_spent = True
        return None

    def refuse_instance(self) -> QuotaExceeded:
        gate.current().limits.note(self._holder.name, INSTANCES)
        return QuotaExceeded(self._holder.name, quota=self.instances)

    def refuse_probes(self, host: str, wanted: float, *, allowed: int) -> TooManyProbes:
        gate.current().limits.note(self._holder.name, PROBES)
        return TooManyProbes(self._holder.name, host=host, wanted=wanted, allowed=allowed)

    def refuse_requirements(self, wanted: int) -> TooManyRequirements:
        gate.current().limits.note(self._holder.name, REQUIREMENTS)
        return TooManyRequirements(self._holder.name, wanted=wanted, allowed=self.requirements)
