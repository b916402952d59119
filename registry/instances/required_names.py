"""Bounds how many services the instances of one token require, all together.

Each required service that is not registered is a missing one, with a row on every board. An instance may name two
hundred, so that one request with two hundred instances could hide all others behind forty thousand rows.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from config.problems import Problem
from registry.database import rows, statements
from registry.instances.storage import Entry
from registry.models import Instance, InstanceKey


def beyond(entries: Sequence[Entry], known: Mapping[InstanceKey, Instance]) -> dict[int, Problem]:
    """The entries that add a service which is not required yet, and exceed the limit with it, by their identity."""
    asked: dict[int, set[str]] = {}
    for entry in entries:
        if entry.allowance is not None and entry.allowance.requirements:
            before = known.get(entry.key)
            added = set(entry.declared.requires).difference(before.requires if before else ())
            if added:
                asked[id(entry)] = added
    if not asked:
        return {}
    names = set().union(*asked.values())
    new = names - _required(names)
    refused: dict[int, Problem] = {}
    required: defaultdict[str, set[str]] = defaultdict(set)
    # Hardly ever is a name new.
    for entry in entries if new else ():
        if entry.allowance is None or not asked.get(id(entry), set()) & new:
            continue
        before = known.get(entry.key)
        owner = entry.author if before is None else before.registered_by
        if owner not in required:
            required[owner] = _required_by(owner)
        together = required[owner] | asked[id(entry)]
        if len(together) > entry.allowance.requirements:
            refused[id(entry)] = entry.allowance.refuse_requirements(len(together))
        else:
            required[owner] = together
    return refused


def _required(names: set[str]) -> set[str]:
    """The names that some instance requires already."""
    given, parameters = rows.given_pairs([(name, "") for name in sorted(names)])
    is_required = "EXISTS (SELECT 1 FROM registry_requirement WHERE service = given.first)"
    return {name for (name,) in statements.fetch(f"SELECT given.first FROM {given} WHERE {is_required}", parameters)}  # noqa: S608 -- constants


def _required_by(token: str) -> set[str]:
    found = statements.fetch(
        """
        SELECT DISTINCT requirement.service FROM registry_requirement requirement
        JOIN registry_instance instance ON instance.id = requirement.instance_id WHERE instance.registered_by = %s
        """,
        [token],
    )
    return {service for (service,) in found}
