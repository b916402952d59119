"""A question as it arrives at a faked service, and what all answers share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

Answer = tuple[int, Any]


@dataclass(frozen=True, kw_only=True)
class Call:
    service: str
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    # The body as it was sent.
    content: bytes = b""


def wire(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def problem(status: int, code: str, detail: str, **members: Any) -> Answer:
    return status, {
        "type": f"urn:rollcall:problem:{code}",
        "title": code,
        "status": status,
        "detail": detail,
        **members,
    }
