"""The events of a run, as the small services and the checker saw them: plain values, in seconds since the epoch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tests.faults.schedule import Kind

Key = tuple[str, str]


class Action(StrEnum):
    REGISTER = "register"
    DEREGISTER = "deregister"
    DRAIN = "drain"


class Failure(StrEnum):
    """The end of a request that was not answered."""

    REFUSED = "refused"
    CLOSED = "closed"
    TIMEOUT = "timed out"


@dataclass(frozen=True, kw_only=True)
class Write:
    """A change that a service asked for. `status` is None where there was no answer: it may have been stored or not."""

    action: Action
    key: Key
    incarnation: str
    version: str
    sent_at: float
    ended_at: float
    status: int | None = None
    failure: Failure | None = None
    revision: int | None = None
    # Sent on purpose after the end of its run, or the beginning of the next one, had been acknowledged.
    is_of_a_past_run: bool = False

    @property
    def is_acknowledged(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, kw_only=True)
class Told:
    """A webhook that reached a dependent."""

    key: Key
    at: float
    webhook_id: str
    subscriber: Key
    from_revision: int
    to_revision: int
    mentioned: frozenset[str]
    requires: frozenset[str]
    is_signed: bool


@dataclass(frozen=True, kw_only=True)
class Step:
    """The revision at which a run of a dependent has its view from now on."""

    key: Key
    incarnation: str
    revision: int


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A revision that the registry answered with, and which it says nothing newer is missing from."""

    sent_at: float
    ended_at: float
    revision: int
    what: str


@dataclass(frozen=True, kw_only=True)
class Watch:
    """A time in which an instance was registered, could be probed, and was the same run; and its probes in it."""

    key: Key
    since: float
    until: float
    interval_seconds: float
    timeout_seconds: float
    probes: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Death:
    """An instance stopped serving without a word."""

    key: Key
    at: float
    # When it served again; None: not in this run.
    until: float | None


@dataclass(frozen=True, kw_only=True)
class Injected:
    """A fault as it was done."""

    kind: Kind
    target: str
    since: float
    until: float


@dataclass(frozen=True, kw_only=True)
class Unanswered:
    """A request that ran into its client's timeout."""

    method: str
    path: str
    sent_at: float
    ended_at: float


@dataclass(frozen=True, kw_only=True)
class Span:
    since: float
    until: float


@dataclass(frozen=True, kw_only=True)
class Shortage:
    """A time without a processor, in the moments before `at`."""

    at: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A row of the journal."""

    revision: int
    at: float
    change: str
    key: Key


@dataclass(frozen=True, kw_only=True)
class Stored:
    """An instance as the registry has it."""

    key: Key
    status: str
    version: str
    is_suspect: bool = False
    # Critical for having changed too often, and not yet for longer than that may last.
    is_held: bool = False

    @property
    def is_offered(self) -> bool:
        return self.status in ("passing", "warning")


@dataclass(frozen=True, kw_only=True)
class State:
    """The state at the end of a round: the registry's word, the truth, and each dependent's belief.

    `expected` holds the statuses that are right for each instance, and nothing for one that is to be absent.
    """

    stored: Mapping[Key, Stored]
    expected: Mapping[Key, frozenset[str]]
    requires: Mapping[Key, frozenset[str]]
    views: Mapping[Key, Mapping[Key, str]]


@dataclass(kw_only=True)
class History:
    """Everything from the beginning of the run.

    `probers` are the processes of which any makes the probes of the others; `earlier` is the journal as it was read
    after the round before. In `beginnings` the server had been started and had not answered yet. `shortages` are the
    times in which the server, or the harness's own event loop, was ready and had no processor.
    """

    probers: tuple[str, ...] = ()
    writes: list[Write] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    watches: list[Watch] = field(default_factory=list)
    deaths: list[Death] = field(default_factory=list)
    injected: list[Injected] = field(default_factory=list)
    unanswered: list[Unanswered] = field(default_factory=list)
    beginnings: list[Span] = field(default_factory=list)
    shortages: list[Shortage] = field(default_factory=list)
    journal: list[Entry] = field(default_factory=list)
    earlier: list[Entry] = field(default_factory=list)
