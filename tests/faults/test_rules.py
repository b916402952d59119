"""The checker finds each violation in a false history, and nothing in a true one."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.faults import rules
from tests.faults.history import (
    Action,
    Answer,
    Entry,
    Failure,
    History,
    Injected,
    State,
    Step,
    Stored,
    Told,
    Watch,
    Write,
)
from tests.faults.schedule import Kind

A, B = ("a", "a-1"), ("b", "b-1")
PROBERS = ("registry", "registry-worker")


def write(version: str, **members: Any) -> Write:
    given: dict[str, Any] = {
        "action": Action.REGISTER,
        "key": A,
        "incarnation": "one",
        "version": version,
        "sent_at": 1.0,
        "ended_at": 2.0,
        "status": 200,
        "revision": 2,
    }
    return Write(**given | members)


def told(**members: Any) -> Told:
    given: dict[str, Any] = {
        "key": B,
        "at": 5.0,
        "webhook_id": "msg_1",
        "subscriber": B,
        "from_revision": 2,
        "to_revision": 4,
        "mentioned": frozenset({"a"}),
        "requires": frozenset({"a"}),
        "is_signed": True,
    }
    return Told(**given | members)


def entry(revision: int, change: str) -> Entry:
    return Entry(revision=revision, at=float(revision), change=change, key=A)


def watch(*probes: float, until: float = 10.0) -> Watch:
    return Watch(key=A, since=0.0, until=until, interval_seconds=2.0, timeout_seconds=1.0, probes=probes)


def history() -> History:
    return History(
        probers=PROBERS,
        writes=[
            write("1", status=201, revision=1),
            write("2", status=None, failure=Failure.TIMEOUT, revision=None),
            write("3", revision=2),
        ],
        told=[told(), told(webhook_id="msg_2", from_revision=4, to_revision=5)],
        steps=[Step(key=B, incarnation="one", revision=2), Step(key=B, incarnation="one", revision=4)],
        answers=[
            Answer(sent_at=1.0, ended_at=2.0, revision=2, what="one"),
            Answer(sent_at=3.0, ended_at=4.0, revision=2, what="another"),
        ],
        watches=[watch(2.0, 4.0, 6.0, 8.0)],
        journal=[entry(1, "registered"), entry(2, "changed"), entry(3, "passing")],
        earlier=[entry(1, "registered")],
    )


def state() -> State:
    return State(
        stored={A: Stored(key=A, status="passing", version="3")},
        expected={A: frozenset({"passing"})},
        requires={B: frozenset({"a"})},
        views={B: {A: "3"}},
    )


def test_a_true_history_is_found_to_be_true() -> None:
    assert rules.check(history(), state()) == []


FALSE_HISTORIES: dict[str, tuple[Callable[[History], object], str]] = {
    "a revision went back": (
        lambda it: it.answers.append(Answer(sent_at=4.5, ended_at=5.0, revision=1, what="a third")),
        "a third was answered at 1 after",
    ),
    "a view went back": (
        lambda it: it.steps.append(Step(key=B, incarnation="one", revision=3)),
        "the view of b/b-1 went back from 4 to 3",
    ),
    "not signed": (lambda it: it.told.append(told(is_signed=False)), "without a valid signature"),
    "for another": (lambda it: it.told.append(told(subscriber=A)), "which was for a/a-1"),
    "told in vain": (lambda it: it.told.append(told(mentioned=frozenset({"a", "c"}))), "told of c, which it does not"),
    "told backwards": (lambda it: it.told.append(told(webhook_id="msg_3", from_revision=9)), "which goes back"),
    "an id twice": (lambda it: it.told.append(told(to_revision=6)), "an id that was of 2 to 4 before"),
    "a gap": (lambda it: it.journal.append(entry(5, "passing")), "the journal has 5 after 3"),
    "a double": (lambda it: it.journal.append(entry(3, "passing")), "the journal has 3 after 3"),
    "another past": (lambda it: it.earlier.append(entry(2, "passing")), "2 was passing of a/a-1 and is no more"),
    "told twice": (
        lambda it: it.journal.append(entry(4, "passing")),
        "passing of a/a-1 is journalled twice in a row, at 4",
    ),
    "a change of nobody": (
        lambda it: it.journal.extend([entry(4, "deregistered"), entry(5, "passing")]),
        "passing of a/a-1 at 5, which was not registered",
    ),
    "a past run came back": (
        lambda it: it.writes.append(write("9", incarnation="none", is_of_a_past_run=True)),
        "for its run none, which was over, was answered 200",
    ),
    "a failure of ours": (lambda it: it.writes.insert(0, write("9", status=500)), "was answered 500"),
    "never journalled": (lambda it: it.journal.pop(0), "no registration of a/a-1 up to the 1"),
    "overwritten by an earlier one": (
        lambda it: it.writes.append(write("4")),
        "is stored as version 3, and 4 was acknowledged last",
    ),
    "not deregistered": (
        lambda it: it.writes.append(write("", action=Action.DEREGISTER, status=204, revision=None)),
        "as version 3 after its deregistration",
    ),
    "unprobed": (lambda it: it.watches.append(watch(2.0, 21.0, until=22.0)), "was not probed for 19.0 s; 18.5 s are"),
    "never probed": (lambda it: it.watches.append(watch(until=20.0)), "was not probed for 20.0 s"),
    "no more probed": (lambda it: it.watches.append(watch(1.0, until=20.0)), "was not probed for 19.0 s"),
}


@pytest.mark.parametrize("name", FALSE_HISTORIES)
def test_a_false_history_is_found_out(name: str) -> None:
    falsify, sentence = FALSE_HISTORIES[name]
    found = history()
    falsify(found)
    violations = rules.check(found, state())
    assert any(sentence in violation for violation in violations), violations


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"views": {B: {A: "1"}}}, "b/b-1 believes a/a-1 to be 1, which is 3"),
        ({"views": {B: {}}}, "b/b-1 believes a/a-1 to be away, which is 3"),
        ({"stored": {}}, "a/a-1 is absent and should be passing"),
        ({"stored": {}}, "a/a-1 is lost: version 3 was acknowledged"),
        ({"expected": {A: frozenset({"critical"})}}, "a/a-1 is passing and should be critical"),
        ({"expected": {}}, "a/a-1 is registered, by nobody"),
        (
            {"stored": {A: Stored(key=A, status="passing", version="3", is_suspect=True)}},
            "a/a-1 is passing (suspect) and should be passing",
        ),
    ],
)
def test_a_false_state_is_found_out(members: dict[str, Any], sentence: str) -> None:
    false = replace(state(), **members)
    violations = [*rules.wrong(false), *rules.writes_are_kept(history(), false)]
    assert any(sentence in violation for violation in violations), violations
    assert rules.check(history(), false)


def test_what_changed_too_often_may_be_held_critical_but_never_where_it_should_be_absent() -> None:
    held = {A: Stored(key=A, status="critical", version="3", is_held=True)}
    assert rules.wrong(replace(state(), stored=held, views={B: {}})) == []
    absent = replace(state(), stored=held, views={B: {}}, expected={A: frozenset({"absent"})})
    assert rules.wrong(absent) == ["a/a-1 is critical and should be absent"]


def test_what_was_not_answered_may_be_stored_or_not() -> None:
    found = history()
    found.writes.append(write("4", status=None, failure=Failure.CLOSED, revision=None))
    assert rules.check(found, state()) == []
    stored = {A: Stored(key=A, status="passing", version="4")}
    assert rules.check(found, replace(state(), stored=stored, views={B: {A: "4"}})) == []


def test_what_was_asked_for_twice_may_be_journalled_twice() -> None:
    found = history()
    found.journal.extend([entry(4, "draining"), entry(5, "draining")])
    assert rules.check(found, state()) == []


def test_a_registration_may_end_by_a_deregistration_that_is_journalled() -> None:
    found = history()
    found.journal.append(entry(4, "deregistered"))
    gone = replace(state(), stored={}, expected={A: frozenset({"absent"})}, views={B: {}})
    assert rules.check(found, gone) == []


@pytest.mark.parametrize(
    ("kind", "targets", "is_excused"),
    [
        (Kind.LOCK, [""], True),
        (Kind.CUT, ["database"], True),
        (Kind.CUT, ["redis"], False),
        (Kind.KILL, ["registry-worker"], False),
        (Kind.FREEZE, ["registry"], False),
        (Kind.FREEZE, list(PROBERS), True),
    ],
)
def test_a_late_probe_is_excused_only_where_nobody_could_probe(
    kind: Kind, targets: list[str], *, is_excused: bool
) -> None:
    found = history()
    found.watches.append(watch(2.0, 21.0, until=22.0))
    found.injected.extend(Injected(kind=kind, target=target, since=5.0, until=15.0) for target in targets)
    assert (rules.check(found, state()) == []) == is_excused
