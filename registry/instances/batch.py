"""Many registrations with one call: every one of them or none, or those that are right (docs/protocol.md)."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from django.db import transaction
from django.utils import timezone
from msgspec import Meta, Struct

from config.problems import Invalid, Problem
from config.tokens.issuing import Holder
from registry.instances import declaration, registration
from registry.instances.permissions import changeable
from registry.instances.registration import Registered
from registry.instances.storage import Entry

MOST_INSTANCES = 10_000


class Batch(Struct, frozen=True, kw_only=True):
    instances: Annotated[list[dict[str, Any]], Meta(min_length=1, max_length=MOST_INSTANCES)]
    # `all`: every one of them or none; `each`: those that are right.
    mode: Literal["all", "each"] = "all"


def register(wanted: Batch, *, holder: Holder) -> list[Registered | Problem]:
    """What came of each, in order. Raises Invalid, and where all were wanted then nothing is stored."""
    checked = [_checked(each, holder) for each in wanted.instances]
    return _register_all(checked) if wanted.mode == "all" else _register_each(checked)


def _checked(members: dict[str, Any], holder: Holder) -> Entry | Problem:
    try:
        key = changeable(str(members.get("service", "")), str(members.get("instance", "")), holder=holder)
        return Entry(key=key, declared=declaration.declaration(members), author=holder.name)
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
