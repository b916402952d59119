from hypothesis import given
from hypothesis import strategies as st

from registry.instances import dependencies
from registry.instances.dependencies import Requirements, State, examine, state_of

NAMES = "abcdefgh"
names = st.sampled_from(NAMES)
requirements = st.dictionaries(names, st.sets(names, max_size=4), max_size=len(NAMES))
states = st.dictionaries(names, st.sampled_from([state for state in State if state is not State.MISSING]))

UP, DOWN, WITHDRAWN = State.PASSING, State.CRITICAL, State.MAINTENANCE


def test_the_service_that_explains_the_others_is_the_root_cause() -> None:
    found = examine(
        {"webui": {"grading", "logsvc"}, "grading": {"logsvc"}, "logsvc": set()},
        dict.fromkeys(("webui", "grading", "logsvc"), DOWN),
    )

    assert found.roots == [["logsvc"]]
    assert found.causes == {"grading": ["logsvc"], "logsvc": [], "webui": ["logsvc"]}
    assert found.affected == {"grading": ["webui"], "logsvc": ["grading", "webui"], "webui": []}


def test_a_service_that_is_down_is_not_explained_through_one_that_serves() -> None:
    found = examine({"a": {"b"}, "b": {"c"}}, {"a": DOWN, "b": UP, "c": DOWN})

    assert found.roots == [["a"], ["c"]]
    assert found.causes == {"a": [], "b": ["c"], "c": []}
    assert found.states == {"a": DOWN, "b": State.DEGRADED, "c": DOWN}


def test_a_service_that_fails_itself_is_its_own_cause_though_it_requires_one_that_nobody_registered() -> None:
    found = examine({"a": {"nowhere"}}, {"a": DOWN})

    assert found.roots == [["a"], ["nowhere"]]
    assert found.causes["a"] == []
    assert found.unmet == {"a": ["nowhere"]}


def test_a_service_that_is_required_and_registered_nowhere_is_missing_and_degrades_its_dependents() -> None:
    found = examine({"webui": {"logsvc"}}, {"webui": UP})

    assert (found.down, found.unmet, found.roots) == (["logsvc"], {"webui": ["logsvc"]}, [["logsvc"]])
    assert found.states == {"logsvc": State.MISSING, "webui": State.DEGRADED}


def test_what_nobody_registered_is_one_root_cause_where_the_same_services_require_it() -> None:
    ghosts = [f"ghost-{number:03}" for number in range(100)]

    found = examine({"shop": {*ghosts, "bank"}, "till": {"bank"}}, {"shop": UP, "till": UP})

    assert found.roots == [["bank"], ghosts]
    assert found.causes == {"shop": ["bank", *ghosts], "till": ["bank"], "bank": [], **{each: [] for each in ghosts}}


def test_services_that_require_each_other_are_a_cycle_and_fail_together() -> None:
    found = examine({"a": {"b"}, "b": {"a"}, "c": {"a"}, "d": {"d"}}, {"a": DOWN, "b": DOWN, "c": DOWN, "d": UP})

    assert found.cycles == [["a", "b"], ["d"]]
    assert found.roots == [["a", "b"]]
    assert found.causes == {"a": [], "b": [], "c": ["a", "b"], "d": []}


def test_what_an_operator_has_taken_away_is_explained_by_nothing_else_and_explains_what_requires_it() -> None:
    found = examine(
        {"webui": {"grading"}, "grading": {"logsvc"}, "logsvc": {"grading"}},
        {"webui": DOWN, "grading": WITHDRAWN, "logsvc": DOWN},
    )

    assert found.roots == [["grading"]]
    assert found.causes["webui"] == ["grading"]


def test_a_service_that_starts_is_neither_down_nor_degraded() -> None:
    found = examine({"webui": {"grading"}, "other": {"webui"}}, {"webui": State.STARTING, "grading": DOWN, "other": UP})

    assert found.states["webui"] is State.STARTING
    assert (found.down, found.causes["webui"]) == (["grading"], [])


def test_a_services_own_state_is_the_worst_that_is_true_of_it_as_a_whole() -> None:
    assert state_of({"passing": 2}) is State.PASSING
    assert state_of({"passing": 2, "warning": 1}) is State.WARNING
    assert state_of({"passing": 2, "critical": 1}) is State.DEGRADED
    assert state_of({"critical": 1, "maintenance": 1}) is State.CRITICAL
    assert state_of({"starting": 1, "draining": 1}) is State.STARTING
    assert state_of({"draining": 1, "maintenance": 1}) is State.DRAINING
    assert state_of({"passing": 0}) is State.MISSING


@given(requirements, states)
def test_every_service_that_is_down_is_a_root_cause_or_explained_by_one(
    requirements: Requirements, own: dict[str, State]
) -> None:
    found = examine(requirements, own)
    culprits = {service for group in found.roots for service in group}

    for service in found.down:
        assert (service in culprits) != bool(found.causes[service])
        assert set(found.causes[service]) <= culprits & dependencies.reachable(requirements, service)


@given(requirements, states)
def test_a_root_cause_requires_nothing_else_that_fails_itself(
    requirements: Requirements, own: dict[str, State]
) -> None:
    found = examine(requirements, own)

    for group in found.roots:
        for service in group:
            if found.states[service] is DOWN:
                failing = {need for need in requirements.get(service, ()) if own.get(need, State.MISSING).is_down}
                assert {need for need in failing if need in own} <= set(group)


@given(requirements, states)
def test_an_offered_service_is_degraded_exactly_when_an_instance_is_critical_or_it_stands_on_a_root_cause(
    requirements: Requirements, own: dict[str, State]
) -> None:
    found = examine(requirements, own)

    for service, state in own.items():
        if state.is_offered:
            stands_on = dependencies.reachable(requirements, service) & set(found.down)
            assert (found.states[service] is State.DEGRADED) == (state is State.DEGRADED or bool(stands_on))


@given(requirements, states)
def test_a_service_is_affected_exactly_when_it_stands_on_what_is_down(
    requirements: Requirements, own: dict[str, State]
) -> None:
    found = examine(requirements, own)

    for down, affected in found.affected.items():
        standing = {each for each in NAMES if each != down and down in dependencies.reachable(requirements, each)}
        assert set(affected) == standing


@given(requirements)
def test_two_services_are_of_one_component_exactly_when_each_reaches_the_other(requirements: Requirements) -> None:
    component = {each: group for group in map(tuple, dependencies.components(requirements)) for each in group}

    assert set(component) == set(requirements).union(*requirements.values())
    reached = {each: dependencies.reachable(requirements, each) for each in component}
    for one in component:
        for other in set(component) - {one}:
            assert (component[one] == component[other]) == (other in reached[one] and one in reached[other])


def test_a_chain_longer_than_the_stack_is_deep_is_no_difficulty() -> None:
    chain = {f"s{number}": [f"s{number + 1}"] for number in range(2000)}

    assert examine(chain, {**dict.fromkeys(chain, UP), "s2000": DOWN}).roots == [["s2000"]]
