"""Each provider in its share, the own zone first, the failing ones aside, and always somebody."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from registry.client import Chooser, Provider
from registry.client.choosing import FIRST_EJECTION_SECONDS, LONGEST_EJECTION_SECONDS, weighted_round
from tests.clock import Clock


def provider(instance: str, *, weight: int = 100, zone: str = "") -> Provider:
    return Provider(service="grading", instance=instance, url=f"http://{instance}.test", weight=weight, zone=zone)


def chooser(*providers: Provider, zone: str = "", clock: Clock | None = None) -> Chooser:
    made = Chooser(zone=zone, clock=clock or Clock())
    made.update({"grading": providers})
    return made


def picks(chooser: Chooser, count: int) -> Counter[str]:
    chosen = [chooser.choose("grading") for _ in range(count)]
    return Counter(each.instance for each in chosen if each)


PROVIDERS = st.lists(
    st.builds(
        provider, st.sampled_from([f"g-{n}" for n in range(9)]), weight=st.integers(0, 1000), zone=st.sampled_from("ab")
    ),
    min_size=1,
    max_size=9,
    unique_by=lambda each: each.instance,
)


def test_nobody_is_chosen_where_nobody_is_offered() -> None:
    assert chooser().choose("grading") is None
    assert chooser(provider("g-1")).choose("logsvc") is None


def test_each_is_chosen_in_its_turn() -> None:
    assert picks(chooser(provider("g-1"), provider("g-2"), provider("g-3")), 30) == {"g-1": 10, "g-2": 10, "g-3": 10}


def test_each_is_chosen_by_its_weight() -> None:
    made = chooser(provider("g-1", weight=100), provider("g-2", weight=300), provider("g-3", weight=0))
    assert picks(made, 40) == {"g-1": 10, "g-2": 30}


def test_picks_of_a_heavy_one_are_spread_over_the_round() -> None:
    instances = [each.instance for each in weighted_round([provider("a", weight=4), provider("b"), provider("c")])]
    made = [
        each.instance
        for each in weighted_round([provider("a", weight=2), provider("b", weight=1), provider("c", weight=1)])
    ]
    assert sorted(made) == ["a", "a", "b", "c"]
    assert made not in (["a", "a", "b", "c"], ["b", "c", "a", "a"])
    assert instances.count("a") * 25 == instances.count("b")


def test_weights_of_nothing_share_alike() -> None:
    assert picks(chooser(provider("g-1", weight=0), provider("g-2", weight=0)), 10) == {"g-1": 5, "g-2": 5}


def test_the_own_zone_comes_first_while_it_offers_any() -> None:
    near, far = provider("near", zone="a"), provider("far", zone="b")
    made = chooser(near, far, zone="a")
    assert picks(made, 10) == {"near": 10}
    made.update({"grading": (far,)})
    assert picks(made, 10) == {"far": 10}


def test_a_failing_one_in_the_own_zone_is_left_for_the_other_zone() -> None:
    near, far = provider("near", zone="a"), provider("far", zone="b")
    made = chooser(near, far, zone="a")
    made.report_failure(near)
    assert picks(made, 10) == {"far": 10}


def test_a_failing_one_is_set_aside_and_taken_back() -> None:
    clock = Clock()
    made = chooser(provider("g-1"), provider("g-2"), clock=clock)
    made.report_failure(provider("g-1"))
    assert picks(made, 10) == {"g-2": 10}
    clock.now = FIRST_EJECTION_SECONDS
    assert picks(made, 10) == {"g-1": 5, "g-2": 5}


def test_one_that_fails_again_is_set_aside_for_longer_up_to_a_limit() -> None:
    clock = Clock()
    made = chooser(provider("g-1"), provider("g-2"), clock=clock)
    for seconds in (10, 20, 40, 80, 160, 300, 300):
        made.report_failure(provider("g-1"))
        clock.now += seconds - 0.5
        assert picks(made, 10) == {"g-2": 10}
        clock.now += 0.5
        assert picks(made, 10) == {"g-1": 5, "g-2": 5}
    assert LONGEST_EJECTION_SECONDS == 300


def test_a_success_brings_it_back_and_forgives() -> None:
    clock = Clock()
    made = chooser(provider("g-1"), provider("g-2"), clock=clock)
    for _ in range(5):
        made.report_failure(provider("g-1"))
    made.report_success(provider("g-1"))
    assert picks(made, 10) == {"g-1": 5, "g-2": 5}
    made.report_failure(provider("g-1"))
    clock.now = FIRST_EJECTION_SECONDS
    assert picks(made, 10) == {"g-1": 5, "g-2": 5}


def test_an_only_one_is_never_set_aside() -> None:
    made = chooser(provider("g-1"))
    made.report_failure(provider("g-1"))
    assert picks(made, 3) == {"g-1": 3}


def test_one_that_left_and_came_back_is_not_held_to_its_past() -> None:
    made = chooser(provider("g-1"), provider("g-2"))
    made.report_failure(provider("g-1"))
    made.update({"grading": (provider("g-2"),)})
    made.update({"grading": (provider("g-1"), provider("g-2"))})
    assert picks(made, 10) == {"g-1": 5, "g-2": 5}


def test_an_update_of_one_service_does_not_disturb_the_turns_of_another() -> None:
    made = chooser(provider("g-1"), provider("g-2"), provider("g-3"))
    first = [made.choose("grading") for _ in range(2)]
    made.update({"grading": (provider("g-1"), provider("g-2"), provider("g-3")), "logsvc": ()})
    assert len({each.instance for each in [*first, made.choose("grading")] if each}) == 3


@given(PROVIDERS, st.data(), st.sampled_from(["", "a", "b"]))
def test_whoever_fails_somebody_offered_is_chosen(providers: list[Provider], data: st.DataObject, zone: str) -> None:
    made = chooser(*providers, zone=zone)
    for each in data.draw(st.lists(st.sampled_from(providers))):
        made.report_failure(each)
    assert made.choose("grading") in providers


@given(st.integers(1, 9), st.data())
def test_at_least_half_stay_whoever_fails(count: int, data: st.DataObject) -> None:
    providers = [provider(f"g-{number}") for number in range(count)]
    made = chooser(*providers)
    failing = data.draw(st.sets(st.sampled_from(providers)))
    for each in failing:
        made.report_failure(each)
    assert len(picks(made, count)) == count - min(len(failing), count // 2)


@given(PROVIDERS)
def test_a_round_gives_each_its_share(providers: list[Provider]) -> None:
    total = sum(each.weight for each in providers)
    made = weighted_round(providers)
    counts = Counter(each.instance for each in made)
    for each in providers:
        share = each.weight / total if total else 1 / len(providers)
        assert abs(counts[each.instance] / len(made) - share) <= 2 * len(providers) / len(made) + 1e-9
        assert bool(counts[each.instance]) is bool(each.weight or not total)
