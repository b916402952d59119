"""Many registrations in one call: all of them or none, or each that is valid (docs/protocol.md)."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from django.db import transaction
from django.utils import timezone
from msgspec import Meta, Struct

from config.problems import Invalid, Problem, TooManyRequests
from config.tokens.holder import Holder
from registry.errors import OutOfScope
from registry.instances import permissions, registration
from registry.instances.allowance import Allowance
from registry.instances.registration import Registered
from registry.instances.storage import Entry

MOST_INSTANCES = 10_000


class Batch(Struct, frozen=True, kw_only=True):
    instances: Annotated[list[dict[str, Any]], Meta(min_length=1, max_length=MOST_INSTANCES)]
    # `all`: all of them or none; `each`: those that are valid.
    mode: Literal["all", "each"] = "all"


def register(wanted: Batch, *, holder: Holder) -> list[Registered | Problem]:
    """Register them and return the outcome of each, in order.

    In the mode `all` it raises Invalid when one is invalid; in both it raises OutOfScope when the token may change none
    of them, in `all` also when it may not change one. Then nothing is stored.
    """
    checked: list[Entry | Problem] = []
    allowance = Allowance(holder)
    for members in wanted.instances:
        service, instance = str(members.get("service", "")), str(members.get("instance", ""))
        try:
            key = permissions.changeable(service, instance, holder=holder)
            checked.append(permissions.entry(key, members, holder=holder, allowance=allowance))
        except Problem as problem:
            checked.append(problem)
    refused = [each for each in checked if isinstance(each, OutOfScope)]
    if refused and (wanted.mode == "all" or len(refused) == len(checked)):
        raise refused[0]
    if wanted.mode == "all":
        return _register_all(checked)
    entries = [each for each in checked if isinstance(each, Entry)]
    outcomes = iter(registration.register_many(entries, now=timezone.now()) if entries else ())
    return [next(outcomes) if isinstance(each, Entry) else each for each in checked]


@transaction.atomic
def _register_all(checked: Sequence[Entry | Problem]) -> list[Registered | Problem]:
    """Raises Invalid naming everything that is wrong, or TooManyRequests, and then stores nothing."""
    _refuse_any(checked)
    entries = [each for each in checked if isinstance(each, Entry)]
    outcomes = registration.register_many(entries, now=timezone.now())
    if limited := next((each for each in outcomes if isinstance(each, TooManyRequests)), None):
        raise limited
    _refuse_any(outcomes)
    return outcomes


def _refuse_any(outcomes: Sequence[object]) -> None:
    errors = [
        {"pointer": f"/instances/{index}{error['pointer']}".rstrip("/"), "detail": error["detail"]}
        for index, problem in enumerate(outcomes)
        if isinstance(problem, Problem)
        for error in problem.errors or [{"pointer": "", "detail": problem.detail}]
    ]
    if errors:
        raise Invalid("Nothing was registered: see `errors`, or send `mode` `each`.", errors=errors)
