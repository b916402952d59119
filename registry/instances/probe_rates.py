"""Bounds how often the probes of what one token has registered ask one host, whatever the ports and paths.

Each instance may be probed every second: two thousand at one address would make the registry flood a host. The limit is
checked at the registration, because a probe that came late could fail a healthy instance.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from config.problems import Problem
from registry.database import statements
from registry.instances import owned
from registry.instances.allowance import Allowance
from registry.instances.storage import Entry
from registry.models import HeartbeatKind, Instance, InstanceKey
from registry.outbound import urls
from registry.outbound.address_policy import spelling

# How many the shortest interval allows an instance.
MOST_OF_AN_INSTANCE = 1.0
# All hosts together may be asked this many times as often: one host may have any number of names.
HOSTS_TOGETHER = 5
ALL_HOSTS = "all hosts together"
# A sum of fractions may be a little too large.
ROUNDING = 1e-6


class _Wish(NamedTuple):
    """So many more probes a second of a host, and of all together, for an entry."""

    entry: Entry
    allowance: Allowance
    host: str
    more: float
    more_together: float


def beyond(entries: Sequence[Entry], known: Mapping[InstanceKey, Instance]) -> dict[int, Problem]:
    """The entries whose probes would ask a host more often than their tokens may have it asked, by their identity.

    `known` holds the instances as they are stored. One that asks no more often than before is not refused.
    """
    wishes: defaultdict[str, list[_Wish]] = defaultdict(list)
    for entry in entries:
        before = known.get(entry.key)
        if entry.allowance is None or not entry.allowance.probes or entry.declared.heartbeat.kind == "ttl":
            continue
        rate, url = 1 / entry.declared.heartbeat.interval_seconds, entry.declared.heartbeat_url
        is_same_host, rate_before = False, 0.0
        if before is not None and before.heartbeat_kind != HeartbeatKind.TTL:
            if url == before.heartbeat_url and rate * before.interval_seconds <= 1:
                continue
            is_same_host, rate_before = _host(before.heartbeat_url) == _host(url), 1 / before.interval_seconds
        more = rate - rate_before if is_same_host else rate
        if more > 0:
            owner = entry.author if before is None else before.registered_by
            wishes[owner].append(_Wish(entry, entry.allowance, _host(url), more, rate - rate_before))
    refused: dict[int, Problem] = {}
    for owner, some in wishes.items():
        totals = _totals(owner, more=sum(wish.more for wish in some), most=min(wish.allowance.probes for wish in some))
        for entry, allowance, host, more, more_together in some:
            at_host, together = totals[host] + more, totals[ALL_HOSTS] + more_together
            most, most_together = allowance.probes, allowance.probes * HOSTS_TOGETHER
            if at_host > most + ROUNDING:
                refused[id(entry)] = allowance.refuse_probes(host, at_host, allowed=most)
            elif more_together > 0 and together > most_together + ROUNDING:
                refused[id(entry)] = allowance.refuse_probes(ALL_HOSTS, together, allowed=most_together)
            else:
                totals[host], totals[ALL_HOSTS] = at_host, together
    return refused


def _totals(owner: str, *, more: float, most: int) -> defaultdict[str, float]:
    """The probes a second by host and of all; empty where those of all are not too many for one."""
    totals: defaultdict[str, float] = defaultdict(float)
    # Most tokens have few instances, which an index counts; of most others the sum is small enough.
    if owned.count(owner, most=most + 1) * MOST_OF_AN_INSTANCE + more <= most:
        return totals
    probed = "FROM registry_instance WHERE registered_by = %s AND heartbeat_kind <> %s"
    parameters = [owner, HeartbeatKind.TTL.value]
    ((total,),) = statements.fetch(f"SELECT SUM(1 / interval_seconds) {probed}", parameters)
    if (total or 0) + more > most:
        found = statements.fetch(f"SELECT heartbeat_url, interval_seconds {probed}", parameters)
        for url, interval in found:
            totals[_host(url)] += 1 / interval
        totals[ALL_HOSTS] = total or 0.0
    return totals


def _host(url: str) -> str:
    return spelling(urls.parse(url).origin.host)
