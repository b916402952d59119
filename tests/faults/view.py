"""A dependent's view, by the rules of docs/protocol.md alone: without the SDK, so that the two check each other."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.faults.history import Key

NOTHING = -1


@dataclass
class View:
    """The offered providers, each with the version that it is offered at, and the revision of which that is true."""

    revision: int = NOTHING
    offered: dict[Key, str] = field(default_factory=dict)

    def take(self, revision: int, providers: Mapping[str, Iterable[Mapping[str, Any]]]) -> bool:
        """Take an answer that holds the whole; False when it is older than what is known."""
        if revision < self.revision:
            return False
        self.revision = revision
        self.offered = {_key(each): each["version"] for every in providers.values() for each in every}
        return True

    def follow(self, data: Mapping[str, Any]) -> bool:
        """Apply a message; False when the whole must be asked for instead."""
        if data.get("resync"):
            return False
        if data["to_revision"] <= self.revision:
            return True
        if data["from_revision"] != self.revision:
            return False
        for each in (*data["added"], *data["changed"]):
            self.offered[_key(each)] = each["version"]
        for each in data["removed"]:
            self.offered.pop(_key(each), None)
        self.revision = data["to_revision"]
        return True


def _key(provider: Mapping[str, Any]) -> Key:
    return provider["service"], provider["instance"]
