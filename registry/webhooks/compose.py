"""Composes webhooks: the net change of the services that a dependent requires, since its last one."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from registry.journal import log
from registry.journal.net_change import net_change
from registry.models.sealing import opened
from registry.wire import answers, bodies

EVENT_TYPE = "registry.providers.changed"
# A dependent that lags by more is resynced: one request, instead of a walk through the journal.
MOST_REVISIONS = 10_000
# So is one whose message would be larger than many servers accept by default (1 MiB).
MOST_BYTES = 900_000
_NOTHING: dict[str, msgspec.Raw] = dict.fromkeys(("added", "changed", "removed"), msgspec.Raw(b"[]"))


class Lagging(NamedTuple):
    """A dependent's cursor, with the attributes of its instance that a message needs."""

    instance_id: int
    notified_revision: int
    scanned_revision: int
    sent_revision: int
    attempts: int
    needs_resync: bool
    service: str
    name: str
    registered_by: str
    requires: tuple[str, ...]
    notify_url: str
    secrets: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Message:
    """A webhook that this process has claimed to send."""

    instance_id: int
    service: str
    instance: str
    # The token that registered it, whose limit the message counts against.
    registered_by: str
    url: str
    # One, or two during a rotation; never shown.
    secrets: tuple[str, ...] = field(repr=False)
    id: str
    from_revision: int
    to_revision: int
    attempts: int
    lease_until: float
    # Whether one before it was sent and not acknowledged.
    is_in_doubt: bool = False
    body: bytes


class Composer:
    """Makes the messages of one claim.

    The journal is read once, and a change is folded and encoded once for all dependents that get the same.
    """

    def __init__(
        self,
        cursors: Sequence[Lagging],
        *,
        lease_until: float,
        head: int,
        now: datetime,
        most_revisions: int = MOST_REVISIONS,
    ) -> None:
        self._most_revisions = most_revisions
        self._lease_until = lease_until
        self._head = head
        self._now = now
        self._timestamp = bodies.timestamp(now)
        self._entries = self._read([cursor for cursor in cursors if not self._is_far_behind(cursor)])
        self._missed: dict[tuple[tuple[str, ...], int], bool] = {}
        self._folded: dict[tuple[tuple[str, ...], int], tuple[bool, dict[str, msgspec.Raw] | None]] = {}

    def message(self, cursor: Lagging) -> Message | None:
        """The message for a dependent; None when there is nothing to tell."""
        has_changes, changes = self._changes(cursor)
        # What it lags by may be of other services alone.
        has_missed = self._is_far_behind(cursor) and self._has_entries(cursor)
        needs_resync = cursor.needs_resync or changes is None or has_missed
        # An unacknowledged message may have arrived: its dependent is told even when nothing is left of the change, as
        # it may have applied what has since been undone.
        is_in_doubt = cursor.sent_revision > cursor.notified_revision
        if not (has_changes or needs_resync or is_in_doubt):
            return None
        # Encoded lists stand in for the structs, to be encoded once for all dependents that get the same.
        parts: dict[str, Any] = {**(_NOTHING if changes is None else changes)}
        data = answers.ProvidersChange(
            subscriber=answers.Subscriber(service=cursor.service, instance=cursor.name),
            from_revision=cursor.notified_revision,
            to_revision=self._head,
            resync=needs_resync,
            **parts,
        )
        # The same on every retry of the same range; a resync that was asked for twice is two messages.
        stem = f"msg_{cursor.instance_id}_{cursor.notified_revision}_{self._head}"
        return Message(
            instance_id=cursor.instance_id,
            service=cursor.service,
            instance=cursor.name,
            registered_by=cursor.registered_by,
            url=cursor.notify_url,
            secrets=cursor.secrets,
            id=f"{stem}_resync_{int(self._now.timestamp())}" if cursor.needs_resync else stem,
            from_revision=cursor.notified_revision,
            to_revision=self._head,
            attempts=cursor.attempts,
            lease_until=self._lease_until,
            is_in_doubt=is_in_doubt,
            body=msgspec.json.encode(answers.Webhook(type=EVENT_TYPE, timestamp=self._timestamp, data=data)),
        )

    def _read(self, cursors: Sequence[Lagging]) -> dict[str, list[log.Step]]:
        """The journal from the cursor furthest behind, by service."""
        by_service: defaultdict[str, list[log.Step]] = defaultdict(list)
        if cursors:
            services = {service for cursor in cursors for service in cursor.requires}
            after = min(cursor.scanned_revision for cursor in cursors)
            for entry in log.between(services, after=after, up_to=self._head):
                by_service[entry.service].append(entry)
        return by_service

    def _changes(self, cursor: Lagging) -> tuple[bool, dict[str, msgspec.Raw] | None]:
        """Whether there are any changes, and their lists, encoded; None for more than a message may hold."""
        services, after = key = (cursor.requires, cursor.scanned_revision)
        if key not in self._folded:
            entries = [each for service in services for each in self._entries.get(service, ()) if each.revision > after]
            net = net_change(sorted(entries, key=lambda entry: entry.revision))
            parts = {"added": net.added, "changed": net.changed, "removed": net.removed}
            encoded = {name: msgspec.json.encode(part) for name, part in parts.items()}
            is_small = sum(map(len, encoded.values())) <= MOST_BYTES
            raw = {name: msgspec.Raw(part) for name, part in encoded.items()} if is_small else None
            self._folded[key] = (bool(net), raw)
        return self._folded[key]

    def _has_entries(self, cursor: Lagging) -> bool:
        """Whether any of its services has changed since, however long ago."""
        key = (cursor.requires, cursor.scanned_revision)
        if key not in self._missed:
            self._missed[key] = log.has_between(cursor.requires, after=cursor.scanned_revision, up_to=self._head)
        return self._missed[key]

    def _is_far_behind(self, cursor: Lagging) -> bool:
        return self._head - cursor.scanned_revision > self._most_revisions


def secrets_of(newest: str | None, previous: str | None, *, until: datetime | None, now: datetime) -> tuple[str, ...]:
    """The secrets to sign with, the newest first: during a rotation the previous one too."""
    both = (newest, previous) if until is not None and until > now else (newest,)
    return tuple(opened(secret) for secret in both if secret)
