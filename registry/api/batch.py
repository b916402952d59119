"""`POST /v1/registrations:batch`: a fleet that starts at once registers with one call (docs/protocol.md)."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from django.db import transaction
from django.utils import timezone
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from config.problems import Invalid, Problem
from config.tokens.issuing import Holder
from registry import declaration, registration
from registry.api import answers
from registry.api.operations import described
from registry.api.parameters import body_of
from registry.api.revised import RevisedView
from registry.enrolment import Entry
from registry.errors import OutOfScope
from registry.models import Instance
from registry.registration import Registered
from registry.representation import provider_body

MOST_INSTANCES = 10_000


class BatchBody(Struct, frozen=True, kw_only=True):
    instances: Annotated[list[dict[str, Any]], Meta(min_length=1, max_length=MOST_INSTANCES)]
    # `all`: every one of them or none; `each`: those that are right.
    mode: Literal["all", "each"] = "all"


class BatchView(RevisedView):
    @described("Register many", body=BatchBody, answer=answers.BatchAnswer)
    def post(self, request: Request) -> Response:
        wanted = body_of(request, BatchBody)
        checked = [_checked(members, request) for members in wanted.instances]
        outcomes = _register_all(checked) if wanted.mode == "all" else _register_each(checked)
        return Response(_answer(outcomes))


def _checked(members: dict[str, Any], request: Request) -> Entry | Problem:
    holder = request.user
    assert isinstance(holder, Holder), "HasScope has let it pass"
    try:
        target = declaration.target(str(members.get("service", "")), str(members.get("instance", "")))
        if not holder.may_register(target.service) and not holder.may("operate"):
            raise OutOfScope(holder.name, target.service)
        return Entry(target=target, declared=declaration.declaration(members), author=holder.name)
    except Problem as problem:
        return problem


@transaction.atomic
def _register_all(checked: Sequence[Entry | Problem]) -> list[Registered | Problem]:
    """Raises Invalid naming everything that is wrong, and then stores nothing."""
    _refuse_any(checked)
    entries = [each for each in checked if isinstance(each, Entry)]
    outcomes = registration.register_many(entries, now=timezone.now())
    _refuse_any(outcomes)
    return outcomes


def _register_each(checked: Sequence[Entry | Problem]) -> list[Registered | Problem]:
    entries = [each for each in checked if isinstance(each, Entry)]
    outcomes = iter(registration.register_many(entries, now=timezone.now()) if entries else ())
    return [next(outcomes) if isinstance(each, Entry) else each for each in checked]


def _refuse_any(outcomes: Sequence[object]) -> None:
    errors = [
        {"pointer": f"/instances/{index}{error['pointer']}".rstrip("/"), "detail": error["detail"]}
        for index, problem in enumerate(outcomes)
        if isinstance(problem, Problem)
        for error in problem.errors or [{"pointer": "", "detail": problem.detail}]
    ]
    if errors:
        raise Invalid("Nothing was registered: see `errors`, or send `mode` `each`.", errors=errors)


def _answer(outcomes: Sequence[Registered | Problem]) -> dict[str, Any]:
    registered = [each for each in outcomes if isinstance(each, Registered)]
    offered: dict[str, list[Instance]] = {}
    for each in registered:
        offered |= each.providers
    return {
        "revision": max((each.revision for each in registered), default=None),
        "results": [_result(each) for each in outcomes],
        "providers": {service: [provider_body(each) for each in some] for service, some in offered.items()},
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
