"""The answers to registrations (docs/protocol.md)."""

from collections.abc import Sequence

import msgspec

from config.problems import Problem
from registry.instances.registration import Registered
from registry.models import Instance
from registry.wire import answers
from registry.wire.bodies import offers_of, registered_instance


def registration(registered: Registered) -> answers.Registration:
    return answers.Registration(
        instance=registered_instance(registered.instance),
        revision=registered.revision,
        providers=offers_of(registered.providers),
    )


def batch(outcomes: Sequence[Registered | Problem]) -> answers.BatchAnswer:
    registered = [each for each in outcomes if isinstance(each, Registered)]
    offered: dict[str, list[Instance]] = {}
    for each in registered:
        offered |= each.providers
    return answers.BatchAnswer(
        revision=max((each.revision for each in registered), default=None),
        results=[_result(each) for each in outcomes],
        providers=offers_of(offered),
    )


def _result(outcome: Registered | Problem) -> answers.RegistrationResult:
    if isinstance(outcome, Problem):
        return answers.RegistrationResult(
            status=outcome.status, problem=msgspec.convert(outcome.body(), answers.Problem)
        )
    instance = outcome.instance
    return answers.RegistrationResult(
        status=201 if outcome.is_new else 200,
        service=instance.service,
        instance=instance.name,
        revision=instance.revision,
    )
