"""The services affected by taking instances from the offer."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from registry.instances import catalogue, dependencies
from registry.instances.catalogue import Summary
from registry.models import Instance, InstanceKey


@dataclass(frozen=True, kw_only=True)
class Impact:
    """Taking instances of one service from the offer: `taken` of them are offered now, and `left` others remain.

    `dependents` require the service, `others` require those, transitively; both sorted.
    """

    service: str
    taken: int
    left: int
    dependents: list[str]
    others: list[str]

    @property
    def is_last(self) -> bool:
        """Whether dependents lose their last instance by it."""
        return bool(self.taken and not self.left)


def of_removing(keys: Sequence[InstanceKey]) -> list[Impact]:
    """The impact by service; a key without an instance means the whole service."""
    summaries = {each.service: each for each in catalogue.summaries()}
    requirements = {each.service: each.requires for each in summaries.values()}
    named: defaultdict[str, set[str]] = defaultdict(set)
    for key in keys:
        named[key.service].add(key.instance)
    impacts = []
    for service, names in sorted(named.items()):
        summary = summaries.get(service) or Summary(service=service)
        among = Instance.objects.filter(service=service, name__in=names)
        taken = summary.offered if "" in names else sum(each.is_offered for each in among)
        behind = set(dependencies.dependents(requirements, service)) - summary.required_by
        impact = Impact(
            service=service,
            taken=taken,
            left=summary.offered - taken,
            dependents=sorted(summary.required_by),
            others=sorted(behind),
        )
        impacts.append(impact)
    return impacts
