"""Deletes old records, and records beyond a size limit, for each service and level."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from django.conf import settings

from logsvc import archive, timestamps
from logsvc.models import RetentionRule
from logsvc.ordering import NS_PER_DAY
from logsvc.storage.current import store
from logsvc.storage.interface import Expiry, Usage

_MEBIBYTE = 1024 * 1024

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The retention of one service and level, as the rules give it."""

    keep_days: int
    keep_bytes: int | None
    is_archived: bool


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """The records of one service and level that were deleted, or would be."""

    service: str
    level: str
    records: int
    reason: str


def prune(*, now_ns: int, is_dry_run: bool = False, after_batch: Callable[[], None] = lambda: None) -> list[Pruned]:
    """Delete expired records, oldest first, in small batches; what a rule archives is on disk in the archive first.

    A record is too old when both its own time and its arrival are, so that a log imported late is kept as long as any.
    A dry run counts for the sizes what it would have deleted for its age. `after_batch` is a sign of progress.
    """
    rules = list(RetentionRule.objects.all())
    delete = partial(_delete, is_dry_run=is_dry_run, after_batch=after_batch)
    pruned: list[Pruned] = []
    for each in store().usage():
        policy = policy_of(each.service, each.level, rules)
        aged = Expiry(service=each.service, level=each.level, before_ns=now_ns - policy.keep_days * NS_PER_DAY)
        pruned += delete(aged, policy, f"older than {policy.keep_days} days")
    for service, level, before_ns, reason in _too_large(store().usage(), rules):
        sized = Expiry(service=service, level=level, before_ns=before_ns, only_by_arrival=False)
        pruned += delete(sized, policy_of(service, level, rules), reason)
    if not is_dry_run and (pruned or store().size().free_bytes):
        # Also what was left by a run that did not come to its end.
        store().give_back_space()
    return pruned


def policy_of(service: str, level: str, rules: Iterable[RetentionRule]) -> Policy:
    """Combine the rules: for each setting the closest rule that has it decides."""

    def covers(rule: RetentionRule) -> bool:
        is_prefix = rule.service.endswith("*")
        of_service = service.startswith(rule.service[:-1]) if is_prefix else rule.service in ("", service)
        return of_service and rule.level in ("", level)

    def closeness(rule: RetentionRule) -> tuple[bool, int, bool]:
        return (bool(rule.service) and not rule.service.endswith("*"), len(rule.service), bool(rule.level))

    found = sorted(filter(covers, rules), key=closeness, reverse=True)
    days = next((rule.keep_days for rule in found if rule.keep_days is not None), settings.RETENTION_DAYS)
    mebibytes = next((rule.keep_mebibytes for rule in found if rule.keep_mebibytes is not None), None)
    return Policy(
        keep_days=days,
        keep_bytes=None if mebibytes is None else mebibytes * _MEBIBYTE,
        is_archived=settings.ARCHIVE_ALL or any(rule.is_archived for rule in found[:1]),
    )


def _too_large(usage: list[Usage], rules: list[RetentionRule]) -> Iterable[tuple[str, str, int, str]]:
    """The excess of each service and level: the time before which its records have to go, and why."""
    total, limit = sum(each.stored_bytes for each in usage), settings.RETENTION_MEBIBYTES * _MEBIBYTE
    keep_bytes = [policy_of(each.service, each.level, rules).keep_bytes for each in usage]
    # The levels of a service that have the same limit share it.
    of_limits: Counter[tuple[str, int | None]] = Counter()
    for each, kept in zip(usage, keep_bytes, strict=True):
        of_limits[each.service, kept] += each.stored_bytes
    for each, kept in zip(usage, keep_bytes, strict=True):
        # Each gives up its share of what is too much.
        shares = [(0, "")]
        if kept is not None:
            of_rule = of_limits[each.service, kept]
            too_much = of_rule - kept
            shares.append((too_much * each.stored_bytes // max(of_rule, 1), "larger than its rule allows"))
        if limit and total > limit:
            shares.append(((total - limit) * each.stored_bytes // total, "the whole is larger than is allowed"))
        bytes_to_free, reason = max(shares)
        if bytes_to_free > 0:
            before_ns = store().oldest_to_free(each.service, each.level, bytes_to_free=bytes_to_free)
            yield each.service, each.level, before_ns, reason


def _delete(
    expiry: Expiry, policy: Policy, reason: str, *, is_dry_run: bool, after_batch: Callable[[], None]
) -> list[Pruned]:
    after: int | None = None
    count = 0
    while True:
        page = store().expired(expiry, after=after, limit=store().deleted_at_once)
        if page.records and not is_dry_run:
            if policy.is_archived:
                archive.append(page.records)
            store().delete(page.records)
        count += len(page.records)
        after_batch()
        if page.next is None:
            break
        after = page.next
    if not count:
        return []
    if not is_dry_run:
        logger.info(
            "Deleted %d records of %s at %s before %s: %s",
            count,
            expiry.service,
            expiry.level,
            timestamps.wire(expiry.before_ns),
            reason,
        )
    return [Pruned(service=expiry.service, level=expiry.level, records=count, reason=reason)]
