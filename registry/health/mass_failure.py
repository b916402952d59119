"""Mass failure: when so much fails at once that the fault is probably ours. Pure.

Falls are paid for from a budget, a share of the fleet, that fills up again within a window: however they are spread,
in `t` seconds no more than `cap * (1 + t / window)` instances fall. What exceeds it begins protection, and while that
holds nothing falls. It ends when nothing has stirred for a while, so that it ends after a genuine scale-down too: what
it held back is then let fall, and is not counted a second time.
"""

from dataclasses import dataclass, replace

CUT_OFF = "no canary of our own network answers"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Seconds, and the least cap: in a fleet so small a share says nothing."""

    share: float = 0.25
    least: int = 5
    window: float = 60.0
    quiet: float = 60.0
    longest: float = 3600.0
    # After an operator, or the longest time, has ended it.
    mute: float = 600.0

    def cap(self, fleet: int) -> float:
        return max(float(self.least), self.share * fleet)


@dataclass(frozen=True, kw_only=True)
class State:
    """Times are seconds since the epoch; `since` is None while there is no protection."""

    since: float | None = None
    reason: str = ""
    spent: float = 0.0
    spent_at: float = 0.0
    # When something last fell, or the canary was last silent.
    stirred_at: float = 0.0
    muted_until: float = 0.0

    @property
    def is_active(self) -> bool:
        return self.since is not None


def see_falls(state: State, count: int, *, fleet: int, limits: Limits, now: float) -> State:
    """`count` instances of a fleet of `fleet` are about to fall: they may, unless protection is active afterwards."""
    if not count:
        return state
    if state.is_active:
        return replace(state, stirred_at=now)
    cap = limits.cap(fleet)
    refilled = cap * max(0.0, now - state.spent_at) / limits.window
    spent = max(0.0, state.spent - refilled) + count
    if spent <= cap or now < state.muted_until:
        return replace(state, spent=min(spent, cap), spent_at=now)
    reason = f"more than {cap:g} of {fleet} instances failed within {limits.window:g} s"
    return _begin(state, reason, now=now)


def see_canary(state: State, *, is_silent: bool, now: float) -> State:
    """A silent canary begins protection, or keeps it up."""
    if not is_silent:
        return state
    if state.is_active:
        return replace(state, stirred_at=now)
    return state if now < state.muted_until else _begin(state, CUT_OFF, now=now)


def see_time(state: State, *, limits: Limits, now: float) -> State:
    """End it when nothing has stirred for long enough, or when it has lasted too long to be believed."""
    if state.since is None:
        return state
    if now - state.since >= limits.longest:
        return end(state, limits=limits, now=now)
    if now - state.stirred_at >= limits.quiet:
        return State(spent_at=now, muted_until=state.muted_until)
    return state


def end(state: State, *, limits: Limits, now: float) -> State:
    """End it, and let it not begin again for a while."""
    return State(spent_at=now, muted_until=now + limits.mute)


def is_below_floor(*, offered: int, fallen: int) -> bool:
    """Whether a service has lost so many of its instances that those are brought back: more than half."""
    return fallen > offered


def _begin(state: State, reason: str, *, now: float) -> State:
    return replace(state, since=now, reason=reason, stirred_at=now, spent=0.0, spent_at=now)
