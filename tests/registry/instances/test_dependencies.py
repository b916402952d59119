from hypothesis import given
from hypothesis import strategies as st

from registry.instances import dependencies
from registry.instances.dependencies import Requirements

NAMES = "abcdefgh"
names = st.sampled_from(NAMES)
requirements = st.dictionaries(names, st.sets(names, max_size=4), max_size=len(NAMES))


def test_the_service_that_explains_the_others_is_the_root_cause() -> None:
    found = dependencies.examine({"webui": {"grading", "logsvc"}, "grading": {"logsvc"}, "logsvc": set()}, offering=[])

    assert found.roots == [["logsvc"]]
    assert found.affected == {"grading": ["webui"], "logsvc": ["grading", "webui"], "webui": []}


def test_what_is_required_and_registered_nowhere_is_down_and_unmet() -> None:
    found = dependencies.examine({"webui": {"logsvc"}}, offering=["webui"])

    assert (found.down, found.unmet, found.roots) == (["logsvc"], {"webui": ["logsvc"]}, [["logsvc"]])


def test_services_that_require_each_other_are_a_cycle_and_fail_together() -> None:
    found = dependencies.examine({"a": {"b"}, "b": {"a"}, "c": {"a"}, "d": {"d"}}, offering=["d"])

    assert found.cycles == [["a", "b"], ["d"]]
    assert found.roots == [["a", "b"]]


def test_what_an_operator_has_taken_away_is_explained_by_nothing_else_and_explains_what_requires_it() -> None:
    requirements = {"webui": {"grading"}, "grading": {"logsvc"}, "logsvc": {"grading"}}

    found = dependencies.examine(requirements, offering=[], withdrawn=["grading"])

    assert found.roots == [["grading"]]


@given(requirements, st.sets(names))
def test_every_service_that_is_down_has_a_root_cause_among_what_it_stands_on(
    requirements: Requirements, offering: set[str]
) -> None:
    found = dependencies.examine(requirements, offering=offering)
    roots = {service for group in found.roots for service in group}
    among = {service: set(requirements.get(service, ())) & set(found.down) for service in found.down}

    for service in found.down:
        assert roots & (dependencies.reachable(among, service) | {service})


@given(requirements, st.sets(names))
def test_no_root_cause_stands_on_another_service_that_is_down(requirements: Requirements, offering: set[str]) -> None:
    found = dependencies.examine(requirements, offering=offering)

    for group in found.roots:
        for service in group:
            assert set(requirements.get(service, ())) & set(found.down) <= set(group)


@given(requirements, st.sets(names))
def test_a_service_is_affected_exactly_when_it_stands_on_what_is_down(
    requirements: Requirements, offering: set[str]
) -> None:
    found = dependencies.examine(requirements, offering=offering)

    for down, affected in found.affected.items():
        standing = {each for each in NAMES if each != down and down in dependencies.reachable(requirements, each)}
        assert set(affected) == standing


@given(requirements)
def test_two_services_are_of_one_component_exactly_when_each_reaches_the_other(requirements: Requirements) -> None:
    component = {each: group for group in map(tuple, dependencies.components(requirements)) for each in group}

    assert set(component) == set(requirements).union(*requirements.values())
    for one in component:
        for other in set(component) - {one}:
            mutual = other in dependencies.reachable(requirements, one) and one in dependencies.reachable(
                requirements, other
            )
            assert (component[one] == component[other]) == mutual


def test_a_chain_longer_than_the_stack_is_deep_is_no_difficulty() -> None:
    chain = {f"s{number}": [f"s{number + 1}"] for number in range(5000)}

    assert dependencies.examine(chain, offering=chain).roots == [["s5000"]]
