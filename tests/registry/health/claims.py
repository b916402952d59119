"""A claim as the prober gets it, with the fields that a test names."""

from typing import Any

from registry.health.probe import Due
from registry.models import Status


def due(**fields: Any) -> Due:
    usual = Due(
        instance_id=1,
        due_at=0.0,
        passed_at=None,
        verdict=Status.PASSING,
        failures=0,
        successes=0,
        penalty=0.0,
        penalty_at=0.0,
        is_damped=False,
        service="billing",
        instance="billing-1",
        kind="http",
        url="http://127.0.0.1:9000",
        interval_seconds=10.0,
        timeout_seconds=2.0,
        warn_after_seconds=None,
        failures_before_critical=3,
        successes_before_passing=1,
        is_kind_chosen=False,
        is_watched=False,
        registered_by="tester",
        status=Status.PASSING,
        is_suspect=False,
        lease_until=0.0,
    )
    return usual._replace(**fields)
