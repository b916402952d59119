"""The checker: what must hold of every history, a rule each. Pure: each returns sentences, none when all is well."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from tests.faults import timeouts
from tests.faults.history import Action, Answer, Entry, History, Injected, Key, State, Write
from tests.faults.schedule import WITHOUT_DATABASE, Kind

# A claim runs out so long after the probe's own timeout, and is made so long before it is due.
LEASE_SECONDS = 12.5
# After a fault that keeps everybody from probing: until it goes on, and for what a loaded machine adds.
RECOVERY_SECONDS = 10.0
SLACK_SECONDS = 3.0
# The changes that probes and beats decide; draining twice is announced twice.
JUDGED = ("passing", "warning", "critical", "suspect")
# Stored; or not known any more, superseded, over; or not now.
SOUND = (200, 201, 204, 404, 409, 410, 503)


def check(history: History, state: State) -> list[str]:
    """Every violation, in words."""
    return [
        *wrong(state),
        *(sentence for rule in RULES for sentence in rule(history)),
        *writes_are_kept(history, state),
    ]


def wrong(state: State) -> list[str]:
    """The differences from the truth: empty once all has converged."""
    return [*health_is_right(state), *views_equal_the_truth(state)]


def health_is_right(state: State) -> list[str]:
    """Each instance is registered or not, and judged, as it really is."""
    sentences = []
    for key, expected in state.expected.items():
        stored = state.stored.get(key)
        status = stored.status if stored else "absent"
        if stored and stored.is_held and "passing" in expected:
            continue
        if status not in expected or (stored and stored.is_suspect):
            is_suspect = " (suspect)" if stored and stored.is_suspect else ""
            sentences.append(f"{_name(key)} is {status}{is_suspect} and should be {' or '.join(sorted(expected))}")
    sentences.extend(f"{_name(key)} is registered, by nobody" for key in state.stored if key not in state.expected)
    return sentences


def views_equal_the_truth(state: State) -> list[str]:
    """Promise 1."""
    sentences: list[str] = []
    for key, view in state.views.items():
        required = state.requires[key]
        truth = {
            each.key: each.version for each in state.stored.values() if each.is_offered and each.key[0] in required
        }
        differing = sorted(other for other in truth.keys() | view.keys() if truth.get(other) != view.get(other))
        sentences.extend(
            f"{_name(key)} believes {_name(other)} to be {view.get(other, 'away')}, which is {truth.get(other, 'away')}"
            for other in differing
        )
    return sentences


def revisions_never_go_back(history: History) -> list[str]:
    """A request after an answer must be answered with that revision or a later one."""
    by_end = sorted(history.answers, key=lambda each: each.ended_at)
    ends = [each.ended_at for each in by_end]
    highest: list[Answer] = []
    for each in by_end:
        highest.append(each if not highest or each.revision > highest[-1].revision else highest[-1])
    sentences = []
    for each in history.answers:
        known = bisect_right(ends, each.sent_at)
        if known and highest[known - 1].revision > each.revision:
            before = highest[known - 1]
            sentences.append(f"{each.what} was answered at {each.revision} after {before.what} at {before.revision}")
    return sentences


def views_never_go_back(history: History) -> list[str]:
    """A run of a dependent is never at an earlier revision than before."""
    at: dict[tuple[Key, str], int] = {}
    sentences = []
    for step in history.steps:
        run = step.key, step.incarnation
        if step.revision < at.get(run, step.revision):
            sentences.append(f"the view of {_name(step.key)} went back from {at[run]} to {step.revision}")
        at[run] = step.revision
    return sentences


def nobody_is_told_in_vain(history: History) -> list[str]:
    """Each webhook is signed, for whom it reached, of what they require, and one id is one range."""
    sentences = []
    ranges: dict[tuple[Key, str], tuple[int, int]] = {}
    for told in history.told:
        who, what = _name(told.key), f"{told.webhook_id} ({told.from_revision} to {told.to_revision})"
        if not told.is_signed:
            sentences.append(f"{who} received {what} without a valid signature")
        if told.subscriber != told.key:
            sentences.append(f"{who} received {what}, which was for {_name(told.subscriber)}")
        if strange := told.mentioned - told.requires:
            sentences.append(f"{who} was told of {', '.join(sorted(strange))}, which it does not require")
        if told.from_revision > told.to_revision:
            sentences.append(f"{who} received {what}, which goes back")
        known = ranges.setdefault((told.key, told.webhook_id), (told.from_revision, told.to_revision))
        if known != (told.from_revision, told.to_revision):
            sentences.append(f"{who} received {what}, an id that was of {known[0]} to {known[1]} before")
    return sentences


def journal_has_no_gap(history: History) -> list[str]:
    revisions = [entry.revision for entry in history.journal]
    sentences = [
        f"the journal has {after} after {before}" for before, after in pairwise(revisions) if after != before + 1
    ]
    known = {entry.revision: entry for entry in history.journal}
    sentences.extend(
        f"the journal's {entry.revision} was {entry.change} of {_name(entry.key)} and is no more"
        for entry in history.earlier
        if known.get(entry.revision) != entry
    )
    return sentences


def nothing_is_doubled(history: History) -> list[str]:
    """Two workers that judge the same, on two hosts, announce it once."""
    last: dict[Key, str] = {}
    sentences = []
    for entry in history.journal:
        if entry.change == last.get(entry.key) and entry.change in JUDGED:
            sentences.append(f"{entry.change} of {_name(entry.key)} is journalled twice in a row, at {entry.revision}")
        last[entry.key] = entry.change
    return sentences


def nothing_is_revived(history: History) -> list[str]:
    """A deregistered instance has no further entry until it is registered; a run that is over is refused."""
    sentences = []
    registered: set[Key] = set()
    for entry in history.journal:
        if entry.change == "registered":
            registered.add(entry.key)
        elif entry.key not in registered:
            sentences.append(f"{entry.change} of {_name(entry.key)} at {entry.revision}, which was not registered")
        elif entry.change == "deregistered":
            registered.discard(entry.key)
    sentences.extend(
        f"a registration of {_name(write.key)} for its run {write.incarnation}, which was over, was answered "
        f"{write.status}"
        for write in history.writes
        if write.is_of_a_past_run and write.is_acknowledged
    )
    return sentences


def writes_are_kept(history: History, state: State) -> list[str]:
    """Promise 2: what was acknowledged stands in the journal; what is there is the last of it, or what came after.

    A request that was not answered may have been stored, also later than a further one. It may not outlast one that was
    sent after it and acknowledged.
    """
    entries: defaultdict[Key, list[Entry]] = defaultdict(list)
    for entry in history.journal:
        entries[entry.key].append(entry)
    writes: defaultdict[Key, list[Write]] = defaultdict(list)
    for write in history.writes:
        if not write.is_of_a_past_run:
            writes[write.key].append(write)
    return [sentence for key, own in writes.items() for sentence in _kept(key, own, entries[key], state)]


def _kept(key: Key, writes: Sequence[Write], entries: Sequence[Entry], state: State) -> Iterable[str]:
    acknowledged = [write for write in writes if write.is_acknowledged]
    removals = [entry.revision for entry in entries if entry.change == "deregistered"]
    registrations = [entry.revision for entry in entries if entry.change == "registered"]
    for write in acknowledged:
        if write.action is Action.REGISTER and write.revision is not None:
            before = [revision for revision in registrations if revision <= write.revision]
            if not before:
                yield f"the journal has no registration of {_name(key)} up to the {write.revision} it was answered with"
    if not acknowledged:
        return
    last, stored = acknowledged[-1], state.stored.get(key)
    later = writes[len(writes) - 1 - writes[::-1].index(last) + 1 :]
    open_versions = {write.version for write in later if write.action is Action.REGISTER}
    may_be_absent = any(write.action is not Action.REGISTER for write in later)
    if last.action is Action.REGISTER:
        if stored is not None and stored.version not in {last.version, *open_versions}:
            yield f"{_name(key)} is stored as version {stored.version}, and {last.version} was acknowledged last"
        is_removed = last.revision is not None and any(revision > last.revision for revision in removals)
        if stored is None and not may_be_absent and not is_removed:
            yield f"{_name(key)} is lost: version {last.version} was acknowledged, and no deregistration is journalled"
    elif last.action is Action.DEREGISTER:
        if stored is not None and stored.version not in open_versions:
            yield f"{_name(key)} is stored as version {stored.version} after its deregistration was acknowledged"
        if registrations and not any(revision > registrations[0] for revision in removals):
            yield f"the deregistration of {_name(key)} was acknowledged and is not journalled"


def answers_are_sound(history: History) -> list[str]:
    """Whatever is broken, a request is answered, or refused for a reason that is true, and never with a 500."""
    return [
        f"{write.action} of {_name(write.key)} was answered {write.status}"
        for write in history.writes
        if write.status is not None and write.status not in SOUND
    ]


def requests_are_answered_in_time(history: History) -> list[str]:
    """A server that has accepted a request and cannot answer it says so before the client gives up."""
    return [
        f"{each.method} {each.path} ran into its client's timeout, while {why}"
        for each in history.unanswered
        if (why := timeouts.reason(each, history)) not in timeouts.EXCUSES
    ]


def probes_are_punctual(history: History) -> list[str]:
    """Promise 3: nobody goes unprobed for longer than an interval and a lease, whoever died meanwhile."""
    excuses = _merged(_excuses(history.injected, history.probers))
    sentences = []
    for watch in history.watches:
        allowed = watch.interval_seconds + watch.timeout_seconds + LEASE_SECONDS + SLACK_SECONDS
        for before, after in pairwise((watch.since, *watch.probes, watch.until)):
            if after - before <= allowed:
                continue
            excused = sum(max(0.0, min(after, until) - max(before, since)) for since, until in excuses)
            if after - before > allowed + excused:
                allowed_words = f"{allowed + excused:.1f} s are allowed"
                sentences.append(f"{_name(watch.key)} was not probed for {after - before:.1f} s; {allowed_words}")
    return sentences


def _excuses(injected: Sequence[Injected], probers: Sequence[str]) -> Iterable[tuple[float, float]]:
    """The times in which nobody could probe."""
    for each in injected:
        is_database = each.kind in WITHOUT_DATABASE or (each.kind is Kind.CUT and each.target == "database")
        if is_database:
            yield each.since, each.until + RECOVERY_SECONDS
    frozen = [
        _merged(
            (each.since, each.until + RECOVERY_SECONDS)
            for each in injected
            if each.target == name and each.kind in (Kind.FREEZE, Kind.KILL)
        )
        for name in probers
    ]
    if not frozen:
        return
    together = frozen[0]
    for others in frozen[1:]:
        together = [
            (max(since, other_since), min(until, other_until))
            for since, until in together
            for other_since, other_until in others
            if max(since, other_since) < min(until, other_until)
        ]
    yield from together


def _merged(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for since, until in sorted(spans):
        if merged and since <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(until, merged[-1][1])
        else:
            merged.append((since, until))
    return merged


def _name(key: Key) -> str:
    return "/".join(key)


# The rules that need nothing but the history.
RULES: tuple[Callable[[History], list[str]], ...] = (
    revisions_never_go_back,
    views_never_go_back,
    nobody_is_told_in_vain,
    journal_has_no_gap,
    nothing_is_doubled,
    nothing_is_revived,
    answers_are_sound,
    requests_are_answered_in_time,
    probes_are_punctual,
)
