"""An instance's life, step by step, with the clock in hand."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from registry.client import Heartbeat, Registration
from registry.client.backoff import LONGEST_RETRY_OF_REFUSAL_SECONDS, LONGEST_RETRY_SECONDS
from registry.client.cache import Cache
from registry.client.crew import Crew
from registry.client.life import SHARING_SECONDS, Life
from registry.client.snapshot import REMEMBERED_SECONDS, Snapshot
from registry.client.state import State
from registry.client.wire import Change, Subscriber
from tests.clients.registry.fake import FakeRegistry, problem, registration

VERIFY_SECONDS = 30.0
REGISTER = "PUT /v1/services/webui/instances/webui-1"
DEREGISTER = "DELETE /v1/services/webui/instances/webui-1"
VERIFY = "GET /v1/instances/webui/webui-1/providers"
BEAT = "PUT /v1/services/webui/instances/webui-1/heartbeat"


def life(
    registry: FakeRegistry,
    declared: Registration | None = None,
    *,
    cache: Cache | None = None,
    crew: Crew | None = None,
) -> Life:
    return Life(
        registry.client(), declared or registration(), cache or Cache(), verify_seconds=VERIFY_SECONDS, crew=crew
    )


def run(lived: Life, *, until: float, since: float = 0.0) -> float:
    """Step as the thread does, from one moment to the next; the moment of the next step."""
    now = since
    while now <= until:
        now += max(lived.step(now), 0.001)
    return now


def test_it_registers_at_the_first_step(registry: FakeRegistry) -> None:
    cache = Cache()
    registry.offer("grading", "grading-1")
    lived = life(registry, cache=cache)
    assert lived.step(0.0) > 0
    assert lived.is_registered
    assert [provider.instance for provider in cache.snapshot.providers["grading"]] == ["grading-1"]


def test_who_is_registered_knows_what_was_answered(registry: FakeRegistry) -> None:
    known_before: list[bool] = []

    class Watched(Cache):
        def update(self, step: Callable[[Snapshot], Snapshot | None]) -> bool:
            known_before.append(lived.is_registered)
            return super().update(step)

    lived = life(registry, cache=Watched())
    lived.step(0.0)
    assert known_before == [False]
    assert lived.is_registered


def test_it_tries_again_for_as_long_as_it_takes_and_ever_less_often(registry: FakeRegistry) -> None:
    registry.is_away = True
    lived = life(registry)
    waits = [lived.step(now * 1000.0) for now in range(12)]
    assert waits[0] <= 0.25
    assert all(wait <= LONGEST_RETRY_SECONDS * 1.2 for wait in waits)
    assert min(waits[8:]) >= LONGEST_RETRY_SECONDS * 0.8
    registry.is_away = False
    lived.step(99_000.0)
    assert lived.is_registered


def test_a_refusal_is_retried_more_patiently_and_said_once(
    registry: FakeRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    registry.mishaps = [lambda request: problem(401, "unauthenticated")] * 12
    lived = life(registry)
    with caplog.at_level(logging.WARNING):
        waits = [lived.step(now * 1000.0) for now in range(12)]
    assert LONGEST_RETRY_SECONDS * 1.2 < max(waits) <= LONGEST_RETRY_OF_REFUSAL_SECONDS * 1.2
    assert len(caplog.records) == 1


def test_two_instances_that_start_together_do_not_retry_together(registry: FakeRegistry) -> None:
    registry.is_away = True
    assert len({life(registry).step(0.0) for _ in range(10)}) > 1


def test_it_verifies_now_and_then_that_it_is_known(registry: FakeRegistry) -> None:
    run(life(registry), until=100.0)
    assert registry.calls()[0] == REGISTER
    assert 2 <= registry.calls().count(VERIFY) <= 4
    assert set(registry.calls()[1:]) == {VERIFY}


def test_it_registers_again_when_the_registry_has_forgotten_it(registry: FakeRegistry) -> None:
    cache = Cache()
    for number in range(5):
        registry.offer("grading", f"grading-{number}")
    lived = life(registry, cache=cache)
    now = run(lived, until=1.0)
    registry.lose_everything()
    run(lived, since=now, until=40.0)
    assert registry.registered() == {"webui/webui-1"}
    assert lived.is_registered
    assert cache.snapshot.providers == {"grading": ()}
    assert cache.snapshot.position == (1, 1)


def test_it_registers_again_when_the_registry_came_back_from_an_older_copy(registry: FakeRegistry) -> None:
    cache = Cache()
    lived = life(registry, cache=cache)
    now = run(lived, until=1.0)
    copy, revision = dict(registry.instances), registry.revision
    for number in range(5):
        registry.offer("grading", f"grading-{number}")
    now = run(lived, since=now, until=40.0)
    assert len(cache.snapshot.providers["grading"]) == 5
    registry.instances, registry.revision = copy, revision
    run(lived, since=now, until=80.0)
    assert cache.snapshot.providers == {"grading": ()}


def test_the_others_that_a_registry_has_forgotten_are_offered_until_they_had_time_to_return(
    registry: FakeRegistry,
) -> None:
    cache, clock = Cache(), [1000.0]
    registry.offer("grading", "grading-1")
    lived = Life(registry.client(), registration(), cache, verify_seconds=VERIFY_SECONDS, clock=lambda: clock[0])
    now = run(lived, until=1.0)
    registry.lose_everything()
    registry.revision = 1000
    now = run(lived, since=now, until=40.0)
    assert registry.registered() == {"webui/webui-1"}
    assert [each.instance for each in cache.snapshot.offered["grading"]] == ["grading-1"]
    clock[0] += REMEMBERED_SECONDS
    lived.step(now)
    assert cache.snapshot.offered == {"grading": ()}


def test_a_lost_webhook_is_made_up_for_by_verifying(registry: FakeRegistry) -> None:
    cache = Cache()
    lived = life(registry, cache=cache)
    now = run(lived, until=1.0)
    registry.offer("grading", "grading-1")
    run(lived, since=now, until=40.0)
    assert len(cache.snapshot.providers["grading"]) == 1


def test_the_last_known_good_outlives_the_registry(registry: FakeRegistry) -> None:
    cache = Cache()
    registry.offer("grading", "grading-1")
    lived = life(registry, cache=cache)
    now = run(lived, until=1.0)
    registry.is_away = True
    run(lived, since=now, until=200.0)
    assert lived.is_registered
    assert len(cache.snapshot.providers["grading"]) == 1


def test_a_ttl_instance_beats_thrice_in_its_interval_and_from_the_start(registry: FakeRegistry) -> None:
    run(life(registry, registration(heartbeat=Heartbeat(kind="ttl", interval_seconds=3.0))), until=10.5)
    assert registry.calls()[:2] == [REGISTER, BEAT]
    assert registry.calls().count(BEAT) == 11


def test_a_ttl_instance_that_is_forgotten_learns_it_from_its_beat(registry: FakeRegistry) -> None:
    lived = life(registry, registration(heartbeat=Heartbeat(kind="ttl", interval_seconds=3.0)))
    now = run(lived, until=2.0)
    registry.lose_everything()
    run(lived, since=now, until=4.0)
    assert registry.registered() == {"webui/webui-1"}


def test_an_address_that_knows_no_registrations_is_not_stormed(registry: FakeRegistry) -> None:
    registry.mishaps = [lambda request: problem(404, "not-found")] * 1000
    run(life(registry), until=60.0)
    assert len(registry.requests) < 20


def test_a_gap_is_closed_at_the_next_step(registry: FakeRegistry) -> None:
    cache = Cache()
    lived = life(registry, cache=cache)
    now = run(lived, until=1.0)
    registry.offer("grading", "grading-1")
    assert not lived.learn(gap())
    lived.want_asking()
    lived.step(now)
    assert len(cache.snapshot.providers["grading"]) == 1


def test_asking_while_the_registry_is_away_is_left_to_later(registry: FakeRegistry) -> None:
    lived = life(registry)
    run(lived, until=1.0)
    registry.is_away = True
    lived.ask()
    assert lived.is_registered


def test_asking_registers_where_the_registry_has_forgotten(registry: FakeRegistry) -> None:
    lived = life(registry)
    lived.ask()
    assert registry.registered() == {"webui/webui-1"}


def test_it_deregisters_at_the_end(registry: FakeRegistry) -> None:
    lived = life(registry)
    run(lived, until=1.0)
    lived.end()
    assert registry.registered() == set()
    assert not lived.is_registered


def test_it_does_not_deregister_what_it_never_registered(registry: FakeRegistry) -> None:
    life(registry).end()
    assert registry.requests == []


def test_one_whose_registration_was_not_answered_deregisters_to_be_sure(registry: FakeRegistry) -> None:
    def cut(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ReadTimeout("timed out", request=request)

    registry.mishaps = [cut]
    lived = life(registry)
    lived.step(0.0)
    lived.end()
    assert registry.calls() == [REGISTER, DEREGISTER]


def test_a_registry_that_is_away_at_the_end_is_no_error(
    registry: FakeRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    lived = life(registry)
    run(lived, until=1.0)
    registry.is_away = True
    with caplog.at_level(logging.WARNING):
        lived.end()
    assert "its heartbeats will fail instead" in caplog.text


def test_it_can_begin_anew_after_its_end(registry: FakeRegistry) -> None:
    lived = life(registry)
    run(lived, until=1.0)
    lived.end()
    run(lived, since=100.0, until=101.0)
    assert registry.registered() == {"webui/webui-1"}


def test_of_several_workers_one_registers_and_all_know(registry: FakeRegistry, tmp_path: Path) -> None:
    registry.offer("grading", "grading-1")
    caches = [Cache(state=State(tmp_path)) for _ in range(3)]
    workers = [life(registry, cache=cache, crew=Crew(tmp_path)) for cache in caches]
    for now in range(3):
        assert all(worker.step(float(now)) <= SHARING_SECONDS for worker in workers)
    assert registry.calls() == [REGISTER]
    assert {len(cache.snapshot.providers["grading"]) for cache in caches} == {1}


def test_another_worker_takes_over_and_the_last_deregisters(registry: FakeRegistry, tmp_path: Path) -> None:
    first, second = (life(registry, cache=Cache(state=State(tmp_path)), crew=Crew(tmp_path)) for _ in range(2))
    first.step(0.0)
    second.step(0.0)
    first.end()
    assert registry.calls() == [REGISTER]
    second.step(1.0)
    assert registry.calls() == [REGISTER, REGISTER]
    assert registry.revision == 1
    second.end()
    assert registry.registered() == set()


def test_a_worker_that_does_not_lead_closes_a_gap_as_well(registry: FakeRegistry, tmp_path: Path) -> None:
    first, second = (life(registry, cache=Cache(state=State(tmp_path)), crew=Crew(tmp_path)) for _ in range(2))
    first.step(0.0)
    second.step(0.0)
    second.want_asking()
    second.step(1.0)
    assert registry.calls() == [REGISTER, VERIFY]


def test_the_workers_of_a_server_are_one_run_and_its_next_start_is_another(
    registry: FakeRegistry, tmp_path: Path
) -> None:
    first, second = (life(registry, cache=Cache(state=State(tmp_path)), crew=Crew(tmp_path)) for _ in range(2))
    first.step(0.0)
    second.step(0.0)
    first.end()
    second.step(1.0)
    second.end()
    run = incarnations(registry)
    assert len(set(run)) == 1
    third = life(registry, cache=Cache(state=State(tmp_path)), crew=Crew(tmp_path))
    third.step(2.0)
    assert third.is_registered
    assert incarnations(registry)[-1] not in run


def test_what_is_handed_over_stays_registered(registry: FakeRegistry, tmp_path: Path) -> None:
    lived = life(registry, cache=Cache(state=State(tmp_path)), crew=Crew(tmp_path))
    lived.step(0.0)
    lived.end(deregisters=False)
    assert registry.registered() == {"webui/webui-1"}
    assert Crew(tmp_path).leads()


def test_the_secret_is_sent_and_never_logged(registry: FakeRegistry, caplog: pytest.LogCaptureFixture) -> None:
    declared = registration(notify_url="http://webui.test/rollcall/notify", notify_secret="whsec_c2VjcmV0")
    with caplog.at_level(logging.DEBUG):
        run(life(registry, declared), until=1.0)
    assert json.loads(registry.requests[0].content)["notify_secret"] == "whsec_c2VjcmV0"
    assert "whsec_" not in caplog.text + repr(declared)


def test_what_an_operator_deregistered_stays_away_until_it_is_started_again(
    registry: FakeRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    lived = life(registry)
    run(lived, until=1.0)
    registry.deregister("webui", "webui-1")
    with caplog.at_level(logging.WARNING):
        run(lived, since=40.0, until=1000.0)
    assert registry.registered() == set()
    assert "stays away" in caplog.text
    assert registry.calls().count(REGISTER) == 2
    life(registry).step(0.0)
    assert registry.registered() == {"webui/webui-1"}


def test_a_process_that_stops_late_leaves_its_successor_registered(registry: FakeRegistry) -> None:
    late, successor = life(registry), life(registry)
    late.step(0.0)
    successor.step(0.0)
    late.end()
    assert registry.registered() == {"webui/webui-1"}
    successor.end()
    assert registry.registered() == set()


def incarnations(registry: FakeRegistry) -> list[str]:
    return [json.loads(each.content)["incarnation"] for each in registry.requests if each.method == "PUT"]


def gap() -> Change:
    return Change(subscriber=Subscriber(service="webui", instance="webui-1"), from_revision=50, to_revision=60)


@pytest.mark.parametrize(
    "members",
    [
        {"notify_url": None},
        {"url": "http://elsewhere.test"},
        {"requires": []},
        {"zone": "b"},
        {"weight": 1},
        {"tags": ["x"]},
        {"metadata": {"team": "blue"}},
        {"heartbeat": {"kind": "http"}},
    ],
)
def test_what_is_no_longer_registered_as_declared_is_registered_again(
    registry: FakeRegistry, members: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    lived = life(registry, registration(notify_url="http://webui.test/notify", tags=("a", "b")))
    run(lived, until=1.0)
    before = dict(registry.instances["webui", "webui-1"])

    registry.edit("webui", "webui-1", **members)
    run(lived, since=2.0, until=40.0)

    assert registry.instances["webui", "webui-1"] == before
    assert "is not registered as declared" in caplog.text
    assert registry.calls().count(REGISTER) == 2


def test_an_operators_override_is_left_alone(registry: FakeRegistry) -> None:
    lived = life(registry)
    run(lived, until=1.0)

    registry.edit("webui", "webui-1", status="maintenance", status_reason="moving house")
    run(lived, since=2.0, until=100.0)

    assert registry.calls().count(REGISTER) == 1


def test_an_instance_is_read_again_only_when_something_has_changed(registry: FakeRegistry) -> None:
    run(life(registry), until=200.0)

    assert set(registry.calls()) == {REGISTER, VERIFY}


def test_what_registering_again_does_not_mend_is_tolerated(registry: FakeRegistry) -> None:
    lived = life(registry, registration(zone="a "))
    run(lived, until=1.0)
    registry.listener = lambda request: registry.instances["webui", "webui-1"].update(zone="a")

    registry.edit("webui", "webui-1", zone="a")
    run(lived, since=2.0, until=300.0)

    assert registry.calls().count(REGISTER) <= 3


def test_the_registry_may_keep_names_sorted_and_an_address_without_its_slash(registry: FakeRegistry) -> None:
    lived = life(registry, registration(("logsvc", "grading"), url="http://webui.test/", tags=("b", "a", "b")))
    run(lived, until=1.0)

    changed = {"url": "http://webui.test", "requires": ["grading", "logsvc"], "tags": ["a", "b"]}
    registry.edit("webui", "webui-1", **changed, heartbeat={"url": "http://webui.test"})
    run(lived, since=2.0, until=40.0)

    assert registry.calls().count(REGISTER) == 1


def test_a_run_that_was_superseded_leaves_the_registration_to_its_successor(
    registry: FakeRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    lived = life(registry)
    lived.step(0.0)
    successor = life(registry)
    successor.step(1.0)
    first, second = incarnations(registry)
    registry.superseded_runs.add(first)
    registry.lose_everything()
    registry.offer("webui", "webui-1")

    registry.edit("webui", "webui-1", zone="b")
    run(lived, since=2.0, until=200.0)
    lived.drain(1.0)
    lived.end()

    assert not lived.is_registered
    assert incarnations(registry) == [first, second, first]
    assert registry.registered() == {"webui/webui-1"}
    assert "stays away from the registry" in caplog.text
