"""Messages may be lost, doubled, late or out of order: once quiet, a service knows the truth."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from registry.client import Provider, snapshot
from registry.client.snapshot import Snapshot, after_asking, after_change, after_time
from registry.client.wire import Change, Instance, Registered, Removed, Resolution, Subscriber
from tests.clients.registry.fake import FakeRegistry, registration

SERVICES = ("grading", "logsvc")
SUBSCRIBER = Subscriber(service="webui", instance="webui-1")
Offered = dict[tuple[str, str], Provider]
after_registering = partial(snapshot.after_registering, was_forgotten=False, remember_until=100.0)


def provider(instance: str = "grading-1", **members: object) -> Provider:
    return replace(Provider(service="grading", instance=instance, url="http://g.test"), **members)  # type: ignore[arg-type]  # as each test names them


def change(since: int, until: int, **members: object) -> Change:
    return replace(Change(subscriber=SUBSCRIBER, from_revision=since, to_revision=until), **members)  # type: ignore[arg-type]  # as each test names them


KNOWN = Snapshot(revision=41, told_revision=41, providers={"grading": (provider(),)})


def test_a_change_that_follows_on_what_is_known_is_applied() -> None:
    after = after_change(
        KNOWN, change(41, 44, added=[provider("grading-2")], removed=[Removed(service="grading", instance="grading-1")])
    )
    assert after is not None
    assert after.revision == 44
    assert after.providers == {"grading": (provider("grading-2"),)}


def test_a_service_that_lost_its_last_provider_is_still_known_by_name() -> None:
    after = after_change(KNOWN, change(41, 42, removed=[Removed(service="grading", instance="grading-1")]))
    assert after is not None
    assert after.providers == {"grading": ()}


def test_a_changed_provider_takes_the_place_of_the_old() -> None:
    after = after_change(KNOWN, change(41, 42, changed=[provider(weight=5)]))
    assert after is not None
    assert after.providers == {"grading": (provider(weight=5),)}


def test_a_change_known_already_changes_nothing() -> None:
    assert after_change(KNOWN, change(30, 41, removed=[Removed(service="grading", instance="grading-1")])) is KNOWN


def test_a_wish_for_a_resync_calls_for_asking_whatever_is_known() -> None:
    assert after_change(KNOWN, change(30, 41, resync=True)) is None


def test_a_gap_calls_for_asking() -> None:
    assert after_change(KNOWN, change(42, 44)) is None
    assert after_change(KNOWN, change(30, 44)) is None


def test_a_question_that_found_nothing_new_leaves_no_gap_before_the_next_change() -> None:
    answer = Resolution(revision=50, providers=KNOWN.providers)
    asked = after_asking(KNOWN, answer, asked_at=KNOWN.position)
    assert asked is not None
    assert asked.revision == 50
    # The registry counts from what it told last.
    after = after_change(asked, change(41, 55, added=[provider("grading-2")]))
    assert after is not None
    assert after.revision == 55


def test_an_answer_overtaken_by_a_webhook_is_dropped() -> None:
    newer = replace(KNOWN, revision=60, told_revision=60)
    assert after_asking(newer, Resolution(revision=50, providers={}), asked_at=KNOWN.position) is newer


def test_an_answer_older_than_what_was_known_when_asking_calls_for_registering() -> None:
    assert after_asking(KNOWN, Resolution(revision=3, providers={}), asked_at=KNOWN.position) is None


def test_a_registration_s_answer_that_went_back_begins_a_new_epoch() -> None:
    after = after_registering(KNOWN, registered(3), asked_at=KNOWN.position)
    assert (after.epoch, after.revision, after.providers) == (1, 3, {})


def test_an_answer_from_an_epoch_that_is_over_is_dropped() -> None:
    newer = Snapshot(epoch=1, revision=3, told_revision=3)
    assert after_asking(newer, Resolution(revision=99, providers={}), asked_at=KNOWN.position) is newer
    assert after_registering(newer, registered(99), asked_at=KNOWN.position) is newer


def test_of_a_registry_that_lost_its_database_those_it_knew_are_still_offered() -> None:
    begun = after_registering(KNOWN, registered(3), asked_at=KNOWN.position)
    assert begun.offered == KNOWN.providers


def test_of_a_registry_that_has_forgotten_us_others_are_still_offered_however_far_its_revision_is() -> None:
    begun = after_registering(KNOWN, registered(99), asked_at=KNOWN.position, was_forgotten=True)
    assert (begun.epoch, begun.revision, begun.providers) == (1, 99, {})
    assert begun.offered == KNOWN.providers


def test_beside_the_remembered_those_are_offered_that_have_registered_again_as_they_are_now() -> None:
    begun = forgotten()
    after = after_change(begun, change(99, 100, added=[provider(weight=5), provider("grading-2")]))
    assert after is not None
    assert after.offered == {"grading": (provider(weight=5), provider("grading-2"))}


def test_who_has_registered_again_and_fell_is_remembered_no_more() -> None:
    after = after_change(forgotten(), change(99, 100, added=[provider()]))
    assert after is not None
    after = after_change(after, change(100, 101, removed=[Removed(service="grading", instance="grading-1")]))
    assert after is not None
    assert after.offered == {"grading": ()}


def test_what_is_remembered_outlives_questions_and_a_second_loss_and_not_its_time() -> None:
    begun = after_asking(forgotten(), Resolution(revision=101, providers={"grading": ()}), asked_at=(1, 99))
    assert begun is not None
    assert begun.offered == KNOWN.providers
    again = after_registering(begun, registered(3), asked_at=begun.position)
    assert after_time(again, now=99.0) is again
    assert after_time(again, now=100.0).offered == {}
    # The clock was set back.
    assert after_time(again, now=100.0 - 3600).offered == {}


def forgotten() -> Snapshot:
    return after_registering(KNOWN, registered(99), asked_at=KNOWN.position, was_forgotten=True)


def registered(revision: int) -> Registered:
    registry = FakeRegistry(revision=revision - 1)
    answer = registry.client().register(registration(requires=()))
    assert isinstance(answer.instance, Instance)
    return answer


class Convergence(RuleBasedStateMachine):
    """A registry that keeps a cursor, a network that does as it likes with messages, and one dependent."""

    def __init__(self) -> None:
        super().__init__()
        self.history: list[Offered] = [{}]
        self.cursor = 0
        self.in_flight: list[Change] = []
        self.answers: list[Callable[[], None]] = []
        self.seen: list[tuple[int, int]] = []
        self.known = after_registering(Snapshot(), self._registered(), asked_at=Snapshot().position)

    @property
    def head(self) -> int:
        return len(self.history) - 1

    # Few and alike, so that what goes often comes back as it was.
    @rule(service=st.sampled_from(SERVICES), weight=st.integers(1, 2))
    def a_provider_comes_goes_or_changes(self, service: str, weight: int) -> None:
        key = (service, f"{service}-1")
        offered = Provider(service=service, instance=key[1], url="http://p.test", weight=weight)
        others = {name: each for name, each in self.history[-1].items() if name != key}
        is_going = self.history[-1].get(key) == offered
        self.history.append(others if is_going else {**others, key: offered})

    @rule()
    def something_else_changes(self) -> None:
        self.history.append(self.history[-1])

    @rule()
    def a_webhook_is_sent(self) -> None:
        self.in_flight.append(self._net(self.cursor, self.head))

    @precondition(lambda self: self.in_flight)
    @rule(data=st.data(), is_doubled=st.booleans(), is_acknowledged=st.booleans())
    def a_webhook_arrives(self, data: st.DataObject, is_doubled: bool, is_acknowledged: bool) -> None:
        index = data.draw(st.integers(0, len(self.in_flight) - 1))
        message = self.in_flight[index] if is_doubled else self.in_flight.pop(index)
        self._take(message)
        if is_acknowledged:
            self.cursor = max(self.cursor, message.to_revision)

    @precondition(lambda self: self.in_flight)
    @rule(data=st.data())
    def a_webhook_is_lost(self, data: st.DataObject) -> None:
        self.in_flight.pop(data.draw(st.integers(0, len(self.in_flight) - 1)))

    @rule()
    def it_asks(self) -> None:
        self._ask()

    @precondition(lambda self: self.answers)
    @rule(data=st.data())
    def an_answer_arrives(self, data: st.DataObject) -> None:
        self.answers.pop(data.draw(st.integers(0, len(self.answers) - 1)))()

    @rule()
    def it_registers_again(self) -> None:
        position, answer = self.known.position, self._registered()
        self.cursor = self.head
        self.answers.append(lambda: self._know(after_registering(self.known, answer, asked_at=position)))

    # Once, and late: what begins anew so often would never get far.
    @precondition(lambda self: self.head > 8 and not self.known.epoch)
    @rule()
    def the_registry_loses_everything(self) -> None:
        """It then knows no dependent, sends nothing, and answers none of the earlier questions."""
        self.history = [{}]
        self.cursor = 0
        self.in_flight.clear()
        self.answers.clear()
        self._know(after_registering(self.known, self._registered(), asked_at=self.known.position))

    def teardown(self) -> None:
        """All is quiet."""
        while self.answers:
            self.answers.pop(0)()
        while self.cursor < self.head or self.in_flight:
            message = self.in_flight.pop(0) if self.in_flight else self._net(self.cursor, self.head)
            self._take(message)
            self.cursor = max(self.cursor, message.to_revision)
            while self.answers:
                self.answers.pop(0)()
        assert self.known.providers == self._truth()

    @invariant()
    def what_is_known_was_true_at_its_revision(self) -> None:
        assert self.known.providers == self._at(self.known.revision)

    @invariant()
    def positions_never_go_back(self) -> None:
        self.seen.append(self.known.position)
        assert self.seen == sorted(self.seen)

    def _take(self, message: Change) -> None:
        after = after_change(self.known, message)
        if after is None:
            self._ask()
        else:
            self._know(after)

    def _ask(self) -> None:
        position, answer = self.known.position, Resolution(revision=self.head, providers=self._truth())
        self.answers.append(lambda: self._answered(answer, position))

    def _answered(self, answer: Resolution, position: tuple[int, int]) -> None:
        after = after_asking(self.known, answer, asked_at=position)
        assert after is not None, "the registry's revision did not go back"
        self._know(after)

    def _know(self, known: Snapshot) -> None:
        self.known = known

    def _registered(self) -> Registered:
        answer = registered(1)
        return Registered(instance=answer.instance, revision=self.head, providers=self._truth())

    def _truth(self) -> dict[str, tuple[Provider, ...]]:
        return self._at(self.head)

    def _at(self, revision: int) -> dict[str, tuple[Provider, ...]]:
        offered = sorted(self.history[revision].items())
        return {name: tuple(each for (service, _), each in offered if service == name) for name in SERVICES}

    def _net(self, since: int, until: int) -> Change:
        before, after = self.history[since], self.history[until]
        return Change(
            subscriber=SUBSCRIBER,
            from_revision=since,
            to_revision=until,
            added=[each for key, each in after.items() if key not in before],
            changed=[each for key, each in after.items() if key in before and before[key] != each],
            removed=[
                Removed(service=service, instance=name) for service, name in before if (service, name) not in after
            ],
        )


TestConvergence = Convergence.TestCase
TestConvergence.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
