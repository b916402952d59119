from datetime import datetime

import pytest

from registry.instances import catalogue, impact, overrides, standing
from registry.models import InstanceKey
from tests import factories

pytestmark = pytest.mark.django_db


def test_who_requires_a_service_is_named_and_who_requires_those(now: datetime) -> None:
    factories.passing("logsvc", now=now)
    factories.passing("grading", now=now, requires=["logsvc"])
    factories.passing("webui", now=now, requires=["grading"])

    (found,) = impact.of_removing([InstanceKey(service="logsvc", instance="logsvc-1")])

    assert (found.dependents, found.others) == (["grading"], ["webui"])
    assert found.is_last


def test_what_an_operator_has_taken_away_is_a_root_cause_whatever_it_requires(now: datetime) -> None:
    factories.register("grading", now=now, requires=["logsvc"])
    factories.passing("billing", now=now, requires=["logsvc"])
    overrides.begin_maintenance("billing", until=None, reason="", author="tester", now=now)

    assert standing.findings(catalogue.summaries()).roots == [["billing"], ["logsvc"]]


def test_what_is_left_counts_only_what_is_offered(now: datetime) -> None:
    for number in (1, 2, 3):
        factories.passing("logsvc", f"logsvc-{number}", now=now)
    overrides.begin_maintenance("logsvc", "logsvc-3", until=None, reason="", author="tester", now=now)

    (found,) = impact.of_removing([InstanceKey(service="logsvc", instance=f"logsvc-{number}") for number in (1, 3)])

    assert (found.taken, found.left, found.is_last) == (1, 1, False)


def test_a_whole_service_leaves_nothing(now: datetime) -> None:
    factories.passing("logsvc", now=now)
    factories.passing("logsvc", "logsvc-2", now=now)

    whole, unknown = impact.of_removing(
        [InstanceKey(service="mail", instance=""), InstanceKey(service="logsvc", instance="")]
    )

    assert (whole.taken, whole.left, whole.is_last) == (2, 0, True)
    assert (unknown.taken, unknown.is_last) == (0, False)


def test_a_circle_of_requirements_does_not_name_the_service_itself(now: datetime) -> None:
    factories.passing("logsvc", now=now, requires=["grading"])
    factories.passing("grading", now=now, requires=["logsvc"])

    (found,) = impact.of_removing([InstanceKey(service="logsvc", instance="logsvc-1")])

    assert (found.dependents, found.others) == (["grading"], [])
