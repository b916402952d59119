"""The schedule of faults: pure, and the same for the same seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

# The longest time from one round's first fault to its last one's end.
ROUND_SECONDS = 30.0
FEWEST_FAULTS, MOST_FAULTS = 3, 8
LONGEST_SECONDS = 30.0
LOCKED_SECONDS = 10.0
# A clock is set by so much.
HOUR_SECONDS = 3600


class Kind(StrEnum):
    KILL = "kill -9"
    FREEZE = "SIGSTOP"
    FLUSH = "FLUSHALL"
    RESTART_DATABASE = "restart of the database"
    CUT = "connections dropped silently"
    LOCK = "database locked"
    FULL = "disk full"
    FORWARD = "clock set forward by an hour"
    BACK = "clock set back by an hour"
    HANG = "receivers hang"
    ERROR = "receivers answer 500"
    GONE = "receivers answer 410"
    APPLY_AND_FAIL = "receivers apply and answer 500"
    CLOSE = "receivers close"


RECEIVERS = (Kind.HANG, Kind.ERROR, Kind.GONE, Kind.APPLY_AND_FAIL, Kind.CLOSE)
CLOCK = (Kind.FORWARD, Kind.BACK)
# Nobody can probe or register meanwhile, nor does any design let them.
WITHOUT_DATABASE = (Kind.RESTART_DATABASE, Kind.LOCK, Kind.FULL)
AT_ONCE = (Kind.KILL, Kind.FLUSH, Kind.RESTART_DATABASE)
# How much of the time each is chosen, where it can be done.
WEIGHTS = {
    Kind.KILL: 6,
    Kind.FREEZE: 5,
    Kind.FLUSH: 1,
    Kind.RESTART_DATABASE: 2,
    Kind.CUT: 3,
    Kind.LOCK: 2,
    Kind.FULL: 1,
    Kind.FORWARD: 1,
    Kind.BACK: 1,
    **dict.fromkeys(RECEIVERS, 1),
}


@dataclass(frozen=True, kw_only=True, order=True)
class Fault:
    """`at` in seconds from the beginning of the round; `seconds` is 0 for what is over at once."""

    at: float
    seconds: float = 0.0
    kind: Kind
    target: str = ""

    def __str__(self) -> str:
        what = " ".join(filter(None, (self.kind, self.target)))
        return f"{self.at:4.1f} s  {what}" + (f" for {self.seconds:.1f} s" if self.seconds else "")


@dataclass(frozen=True, kw_only=True)
class Possible:
    """The possible faults here: to which processes, over which connections, and which other kinds."""

    processes: Sequence[str]
    connections: Sequence[str]
    kinds: frozenset[Kind]

    def targets(self, kind: Kind) -> Sequence[str]:
        """Empty for what cannot be done."""
        if kind in (Kind.KILL, Kind.FREEZE):
            return self.processes
        if kind is Kind.CUT:
            return self.connections
        return ("",) if kind in self.kinds or kind in RECEIVERS else ()


def plan(
    possible: Possible,
    *,
    seed: int,
    number: int,
    seconds: float = ROUND_SECONDS,
    longest_seconds: float = LONGEST_SECONDS,
) -> list[Fault]:
    """The faults of a round, in order of time; they overlap, but no two of one kind on one target do."""
    chance = Random(f"{seed}/{number}")
    kinds = [kind for kind in Kind if possible.targets(kind)]
    weights = [WEIGHTS[kind] for kind in kinds]
    faults: list[Fault] = []
    for _ in range(chance.randint(FEWEST_FAULTS, MOST_FAULTS)):
        kind = chance.choices(kinds, weights)[0]
        target = chance.choice(possible.targets(kind))
        at = chance.uniform(0.0, seconds * 0.7)
        fault = Fault(
            kind=kind, target=target, at=at, seconds=_seconds(kind, chance, min(seconds - at, longest_seconds))
        )
        if not any(_clash(fault, other) for other in faults):
            faults.append(fault)
    return sorted(faults)


def _seconds(kind: Kind, chance: Random, longest: float) -> float:
    if kind in AT_ONCE:
        return 0.0
    if kind is Kind.LOCK:
        return min(LOCKED_SECONDS, longest)
    # As often short as long: what lasts a second and what outlasts every timeout are different faults.
    return min(longest, chance.choice((chance.uniform(1.0, 5.0), chance.uniform(5.0, LONGEST_SECONDS))))


def _clash(one: Fault, other: Fault) -> bool:
    """Whether they cannot be told apart, or undo each other."""
    same = one.target == other.target and one.kind is other.kind
    groups = (RECEIVERS, CLOCK)
    same = same or any(one.kind in group and other.kind in group for group in groups)
    return same and one.at < other.at + other.seconds + 1.0 and other.at < one.at + one.seconds + 1.0
