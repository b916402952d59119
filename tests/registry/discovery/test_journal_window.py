from hypothesis import given
from hypothesis import strategies as st

from registry.discovery.journal_window import FRESH_SECONDS, KEPT_CHANGES, ChangeEvent, Look, Revisions

services = st.sampled_from("abc")
# The service of each change, and the number of changes between two looks.
histories = st.tuples(st.lists(services, max_size=40), st.lists(st.integers(1, 6), max_size=40))


def looks(changes: list[str], steps: list[int], *, keeps_events: bool = True) -> list[Look]:
    made, head = [Look(head=0)], 0
    for step in steps:
        passed = [
            ChangeEvent(revision=revision, service=service, encoded=b"%d" % revision)
            for revision, service in enumerate(changes[head : head + step], start=head + 1)
        ]
        head += len(passed)
        touched = {event.service: event.revision for event in passed}
        made.append(Look(head=head, touched=touched, events=tuple(passed) if keeps_events else None))
    return made


@given(histories, st.integers(0, 40), st.booleans())
def test_a_last_change_is_never_too_low_and_exact_once_seen(
    history: tuple[list[str], list[int]], start: int, keeps_events: bool
) -> None:
    changes, steps = history
    revisions = Revisions()
    for look in looks(changes, steps, keeps_events=keeps_events):
        if look.head < min(start, len(changes)):
            continue
        if revisions.head < 0:
            first = look.head
        revisions.advance(look, looked_at=0)
        for service in "abc":
            last = max((at for at, each in enumerate(changes[: look.head], start=1) if each == service), default=0)
            assert revisions.last_change([service]) == max(last, first)
        assert revisions.last_change(None) == look.head


@given(histories, st.integers(0, 40), st.sets(services))
def test_events_follow_a_revision_without_gaps_or_are_refused(
    history: tuple[list[str], list[int]], after: int, wanted: set[str]
) -> None:
    changes, steps = history
    revisions = Revisions()
    for look in looks(changes, steps):
        revisions.advance(look, looked_at=0)
        found = revisions.events_after(after, wanted)
        assert found is not None
        expected = [at for at in range(after + 1, look.head + 1) if not wanted or changes[at - 1] in wanted]
        assert [event.revision for event in found] == expected


def test_what_is_further_back_than_is_kept_is_refused() -> None:
    revisions = Revisions()
    for look in looks(["a"] * (KEPT_CHANGES + 5), [KEPT_CHANGES, 5]):
        revisions.advance(look, looked_at=0)

    assert revisions.events_after(4) is None
    assert len(revisions.events_after(5) or []) == KEPT_CHANGES


def test_what_is_known_is_fresh_for_a_second_and_until_something_newer_is_heard_of() -> None:
    revisions = Revisions()
    assert not revisions.is_fresh(now=0)
    revisions.advance(Look(head=3), looked_at=10)
    assert revisions.is_fresh(now=10 + FRESH_SECONDS - 0.01)
    assert not revisions.is_fresh(now=10 + FRESH_SECONDS)
    revisions.hear(4)
    assert not revisions.is_fresh(now=10)
    revisions.advance(Look(head=3), looked_at=11)
    assert revisions.is_fresh(now=11)
