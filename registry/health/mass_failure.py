"""Mass failure: when so much fails at once that the fault is probably ours. Pure.

Protection begins when more than a share of the fleet has fallen within a window, and never on the word of one party:
the falls and the fleet of any one token, service or host are left out in turn, and what is left must exceed the share
as well. Nor can one token enlarge the fleet until the failure of the others is a small share: of its instances no more
are counted than the largest other token has. It ends when nothing has stirred for a while, so that it ends after a
genuine scale-down too: what it held back is then let fall.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import NamedTuple

CUT_OFF = "no canary of our own network answers"


class Member(NamedTuple):
    """The parties behind an instance, any one of which may fail, or lie, on its own."""

    token: str
    service: str
    host: str


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Times in seconds, and the smallest number of falls that counts: in a small fleet a share says nothing."""

    share: float = 0.25
    least: int = 5
    window: float = 60.0
    quiet: float = 60.0
    longest: float = 3600.0
    # The pause after an operator, or the longest time, has ended it.
    mute: float = 600.0

    def cap(self, fleet: int) -> float:
        return max(float(self.least), self.share * fleet)


@dataclass(frozen=True, kw_only=True)
class State:
    """Times are seconds since the epoch; `since` is None while there is no protection."""

    since: float | None = None
    reason: str = ""
    # When falls last came from more than one party, or the canary was last silent.
    stirred_at: float = 0.0
    muted_until: float = 0.0

    @property
    def is_active(self) -> bool:
        return self.since is not None


def is_mass(fallen: Collection[Member], fleet: Collection[Member], *, limits: Limits) -> bool:
    """Whether too many of a fleet have fallen for one party to be the reason; the fleet includes the fallen."""
    if len(fallen) <= limits.cap(_counted(fleet)):
        return False
    highest_cap = limits.cap(len(fleet))
    for dimension in Member._fields:
        party_of = attrgetter(dimension)
        if len(set(map(party_of, fleet))) == 1:
            # The whole fleet belongs to one party, which can harm no other.
            continue
        for party, count in Counter(map(party_of, fallen)).most_common():
            left = len(fallen) - count
            if left > highest_cap:
                # Leaving out a smaller party changes less.
                break
            rest = [member for member in fleet if party_of(member) != party]
            if left <= limits.cap(_counted(rest)):
                return False
    return True


def see_falls(
    state: State, fallen: Sequence[Member], fleet: Collection[Member], *, limits: Limits, now: float
) -> State:
    """Note falls; the instances may not fall when protection is active in the state that this returns.

    `fallen` are the members that fell within the window, these included.
    """
    if state.is_active:
        tokens = {member.token for member in fallen}
        is_several = len(tokens) > 1 or len({member.token for member in fleet}) == 1
        return replace(state, stirred_at=now) if fallen and is_several else state
    if now < state.muted_until or not is_mass(fallen, fleet, limits=limits):
        return state
    reason = f"{len(fallen)} of {len(fleet)} instances failed within {limits.window:g} s"
    return replace(state, since=now, reason=reason, stirred_at=now)


def see_canary(state: State, *, is_silent: bool, now: float) -> State:
    """Begin or prolong protection while the canary is silent."""
    if not is_silent:
        return state
    if state.is_active:
        return replace(state, stirred_at=now)
    return state if now < state.muted_until else replace(state, since=now, reason=CUT_OFF, stirred_at=now)


def see_time(state: State, *, limits: Limits, now: float) -> State:
    """End protection when nothing has happened for long enough, or when it has lasted too long to be plausible."""
    if state.since is None:
        return state
    if now - state.since >= limits.longest:
        return end(limits=limits, now=now)
    if now - state.stirred_at >= limits.quiet:
        return State(muted_until=state.muted_until)
    return state


def end(*, limits: Limits, now: float) -> State:
    """End protection, and keep it from beginning again for a while."""
    return State(muted_until=now + limits.mute)


def within(state: State, *, limits: Limits, now: float) -> State:
    """The state with no time further ahead than possible: the clock may have been set back since it was stored."""
    return replace(
        state,
        since=None if state.since is None else min(state.since, now),
        stirred_at=min(state.stirred_at, now),
        muted_until=min(state.muted_until, now + limits.mute),
    )


def is_below_floor(*, offered: int, fallen: int) -> bool:
    """Whether a service has lost more than half of its instances, so that they are brought back."""
    return fallen > offered


def _counted(fleet: Collection[Member]) -> int:
    """The size of a fleet in which no token counts for more than the largest of the others."""
    largest, *others = sorted(Counter(member.token for member in fleet).values(), reverse=True) or [0]
    return sum(others) + (min(largest, others[0]) if others else largest)
