"""The net change between two revisions, folded from the journal's entries. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol


class Step(Protocol):
    """An entry of the journal, however it was read: what was offered before and after, and the provider since then."""

    @property
    def revision(self) -> int: ...
    @property
    def change(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def instance(self) -> str: ...
    @property
    def before(self) -> str: ...
    @property
    def after(self) -> str: ...
    @property
    def provider(self) -> dict[str, Any]: ...


@dataclass(frozen=True, kw_only=True)
class NetChange:
    """The changes that take a dependent from one revision to another; each list in journal order."""

    added: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    removed: list[dict[str, str]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def net_change(entries: Iterable[Step]) -> NetChange:
    """Fold entries, oldest first, to their net change: an instance that came and went is left out."""
    spans: dict[tuple[str, str], tuple[Step, Step]] = {}
    for entry in entries:
        key = (entry.service, entry.instance)
        first = spans[key][0] if key in spans else entry
        spans[key] = (first, entry)
    net = NetChange()
    for first, last in spans.values():
        if first.before == last.after:
            continue
        if not last.after:
            net.removed.append({"service": last.service, "instance": last.instance, "reason": last.change})
        elif not first.before:
            net.added.append(last.provider)
        else:
            net.changed.append(last.provider)
    return net
