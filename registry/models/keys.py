"""The key of an instance: its service and its name there."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class InstanceKey:
    service: str
    instance: str
