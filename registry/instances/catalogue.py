"""Services, their instances, and which services require which."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from registry.database import rows, statements
from registry.errors import UnknownInstance, UnknownService
from registry.models import GOOD, Instance, Requirement, shown_status
from registry.wire.limits import SHOWN_STATUSES

_NONE_SHOWN = dict.fromkeys(SHOWN_STATUSES, 0)
# An expression, so that SQLite does not use the index by status and go through all of a fleet that passes.
_IS_GOOD = "(status || '') IN (%s, %s)"
_COUNTS = """
    SELECT service, status, is_in_maintenance, draining_until IS NOT NULL, COUNT(*) FROM registry_instance
    GROUP BY 1, 2, 3, 4
"""


@dataclass(kw_only=True)
class Summary:
    """A service, summed up from its instances; it has none when it is only required."""

    service: str
    counts: dict[str, int] = field(default_factory=dict)
    requires: set[str] = field(default_factory=set)
    required_by: set[str] = field(default_factory=set)

    @property
    def offered(self) -> int:
        """The number of instances offered to its dependents."""
        return sum(self.counts.get(status, 0) for status in GOOD)

    @property
    def offers(self) -> bool:
        return self.offered > 0


def instance(service: str, name: str) -> Instance:
    """Raises UnknownInstance."""
    found = next(rows.instances(*rows.equal(service=service, name=name)), None)
    if found is None:
        raise UnknownInstance(service, name)
    return found


def instances(service: str, *, limit: int | None = None) -> list[Instance]:
    """The instances of a service, by name; an empty list when it has none."""
    return list(islice(rows.instances(*rows.equal(service=service)), limit))


def offered(services: Iterable[str]) -> dict[str, list[Instance]]:
    """The instances that are offered, for each of these services."""
    providers: dict[str, list[Instance]] = {service: [] for service in services}
    if not providers:
        return providers
    condition, names = rows.among("service", providers)
    for each in rows.instances(f"{condition} AND {_IS_GOOD}", [names, *GOOD]):
        if each.is_offered:
            providers[each.service].append(each)
    return providers


def offering(services: Collection[str]) -> set[str]:
    """The services among these that have an instance on offer."""
    if not services:
        return set()
    among, names = rows.among("service", services)
    found = statements.fetch(
        f"""
        SELECT DISTINCT service FROM registry_instance
        WHERE {among} AND {_IS_GOOD} AND NOT is_in_maintenance AND draining_until IS NULL
        """,  # noqa: S608 -- constants
        [names, *GOOD],
    )
    return {service for (service,) in found}


def all_offered(
    services: Collection[str] = (),
    *,
    tag: str | None = None,
    zone: str | None = None,
    version: str | None = None,
) -> list[Instance]:
    """The offered instances of these services, or of all, that match, by service and name."""
    condition, parameters = rows.equal(zone=zone, version=version)
    condition, parameters = f"{condition} AND {_IS_GOOD}", [*parameters, *GOOD]
    if services:
        among, names = rows.among("service", services)
        condition, parameters = f"{condition} AND {among}", [*parameters, names]
    found = rows.instances(condition, parameters)
    return [each for each in found if each.is_offered and (tag is None or tag in each.tags)]


def summaries(counted: Mapping[tuple[str, str], int] | None = None) -> list[Summary]:
    """Every service that is registered or required, by name; `counted` is what `counts` would find."""
    found: dict[str, Summary] = {}
    for (service, status), count in (counts() if counted is None else counted).items():
        _of(service, found).counts[status] = count
    pairs = Requirement.objects.order_by().values_list("instance__service", "service").distinct()
    for dependent, required in pairs:
        _of(dependent, found).requires.add(required)
        _of(required, found).required_by.add(dependent)
    return [found[service] for service in sorted(found)]


def counts() -> dict[tuple[str, str], int]:
    """The number of instances of each service by shown status."""
    found: dict[tuple[str, str], int] = {}
    # By SQL: the ORM takes half as long again to compile the query and to convert its rows.
    for service, status, is_in_maintenance, is_draining, count in statements.fetch(_COUNTS):
        key = service, shown_status(status, is_in_maintenance, is_draining)
        found[key] = found.get(key, 0) + count
    return found


def summary(service: str) -> Summary:
    """Raises UnknownService when no instance of it is registered and none requires it."""
    found = next((each for each in summaries() if each.service == service), None)
    if found is None:
        raise UnknownService(service)
    return found


def _of(service: str, found: dict[str, Summary]) -> Summary:
    if service not in found:
        found[service] = Summary(service=service)
    return found[service]


def summary_body(summary: Summary) -> dict[str, Any]:
    return {
        "service": summary.service,
        "instances": sum(summary.counts.values()),
        **_NONE_SHOWN,
        **summary.counts,
        "requires": sorted(summary.requires),
        "required_by": sorted(summary.required_by),
    }
