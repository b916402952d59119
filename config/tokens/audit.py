"""The audit log: changes to tokens, and refusals, with who, what and from where. It is bounded."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Sum

from config.tokens.models import AuditEntry, AuditKind

# For changes and for refusals separately: many refusals push no change out of the log.
MOST_ENTRIES = 10_000
CHANGES = (AuditKind.CREATED, AuditKind.CHANGED, AuditKind.REVOKED)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    at: datetime
    who: str
    what: str
    address: str
    times: int


def record_change(kind: AuditKind, *, who: str, author: str, what: str, address: str = "", now: datetime) -> None:
    """Record a change, in the transaction that makes it."""
    AuditEntry.objects.create(
        at=now, kind=kind, who=_short(who, 150), author=_short(author, 150), what=_short(what, 300), address=address
    )
    _forget(CHANGES)


def record_refusals(refusals: Iterable[Refusal]) -> None:
    entries = [
        AuditEntry(
            at=refusal.at,
            kind=AuditKind.REFUSED,
            who=_short(refusal.who, 150),
            what=_short(refusal.what, 300),
            address=_short(refusal.address, 45),
            times=refusal.times,
        )
        for refusal in refusals
    ]
    if entries:
        AuditEntry.objects.bulk_create(entries)
        _forget((AuditKind.REFUSED,))


def refusals_since(moment: datetime) -> int:
    """The number of requests and sign-ins that were refused since then."""
    found = AuditEntry.objects.filter(kind=AuditKind.REFUSED, at__gte=moment).aggregate(times=Sum("times"))
    return found["times"] or 0


def _forget(kinds: tuple[AuditKind, ...]) -> None:
    """Remove the oldest entries of these kinds beyond MOST_ENTRIES."""
    of_kinds = AuditEntry.objects.filter(kind__in=kinds)
    beyond = of_kinds.order_by("-id").values_list("id", flat=True)[MOST_ENTRIES : MOST_ENTRIES + 1]
    for newest_id in beyond:
        of_kinds.filter(id__lte=newest_id).delete()


def _short(text: str, most: int) -> str:
    """Text without control characters, for a terminal and the admin, shortened to the column's length."""
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"
