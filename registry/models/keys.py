"""The key by which everybody names an instance: its service and its own name there."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class InstanceKey:
    service: str
    instance: str
