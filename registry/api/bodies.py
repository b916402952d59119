"""What registrations are answered (docs/protocol.md)."""

from collections.abc import Sequence
from typing import Any

from config.problems import Problem
from registry.discovery.documents import provider_bodies
from registry.instances.registration import Registered
from registry.models import Instance
from registry.wire.bodies import instance_body


def registration(registered: Registered) -> dict[str, Any]:
    return {
        "instance": instance_body(registered.instance),
        "revision": registered.revision,
        "providers": provider_bodies(registered.providers),
    }


def batch(outcomes: Sequence[Registered | Problem]) -> dict[str, Any]:
    registered = [each for each in outcomes if isinstance(each, Registered)]
    offered: dict[str, list[Instance]] = {}
    for each in registered:
        offered |= each.providers
    return {
        "revision": max((each.revision for each in registered), default=None),
        "results": [_result(each) for each in outcomes],
        "providers": provider_bodies(offered),
    }


def _result(outcome: Registered | Problem) -> dict[str, Any]:
    if isinstance(outcome, Problem):
        return {"status": outcome.status, "problem": outcome.body()}
    instance = outcome.instance
    return {
        "status": 201 if outcome.is_new else 200,
        "service": instance.service,
        "instance": instance.name,
        "revision": instance.revision,
    }
