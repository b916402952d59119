"""The registry's tables: instances and their health, dependents' cursors, and the journal of every change."""

from registry.models.health import Fall, Heartbeat, Protection, Rollup, SignOfLife
from registry.models.instances import DRAINING, HeartbeatKind, Instance, Maintenance, Requirement, Tombstone
from registry.models.journal import Change, Head, JournalEntry
from registry.models.keys import InstanceKey
from registry.models.status import GOOD, OVERRIDDEN, Status, shown_status
from registry.models.webhooks import Cursor, Delivery

__all__ = [
    "DRAINING",
    "GOOD",
    "OVERRIDDEN",
    "Change",
    "Cursor",
    "Delivery",
    "Fall",
    "Head",
    "Heartbeat",
    "HeartbeatKind",
    "Instance",
    "InstanceKey",
    "JournalEntry",
    "Maintenance",
    "Protection",
    "Requirement",
    "Rollup",
    "SignOfLife",
    "Status",
    "Tombstone",
    "shown_status",
]
