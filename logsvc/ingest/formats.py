"""The addresses that take records, and the format of each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from config.problems import Problem, RawResponse, UnsupportedMediaType
from logsvc import severity
from logsvc.ingest import loki, ndjson, otlp, plaintext
from logsvc.ingest.batch import Batch, Sender
from logsvc.parameters import Parameters, name


@dataclass(frozen=True, kw_only=True)
class Format:
    """The format of an address: how its bodies are read and how it answers."""

    media_types: frozenset[str]
    # Assumed for a body without a Content-Type; "" refuses it.
    default_type: str
    read: Callable[..., Batch]
    accept: Callable[[Batch, str], RawResponse]
    refuse: Callable[[Problem, str], RawResponse]
    parameters: Callable[[Any], dict[str, Any]]

    def media_type(self, content_type: str) -> str:
        """The type without its parameters. Raises UnsupportedMediaType."""
        found = content_type.partition(";")[0].strip().lower() or self.default_type
        if found not in self.media_types:
            raise UnsupportedMediaType(
                f"The type {found[:60]!r} is not taken here: send the body with Content-Type: "
                f"{' or '.join(sorted(self.media_types))}."
            )
        return found


def of_lines(parameters: Parameters) -> dict[str, Any]:
    members = {
        "service": parameters.get("service", name, ""),
        "severity": parameters.get("level", severity.from_level, int(severity.Severity.INFO)),
    }
    parameters.check()
    return members


def _none(parameters: Parameters) -> dict[str, Any]:
    return {}


def _read_lines(body: bytes, *, sender: Sender, content_type: str, service: str, severity: int) -> Batch:
    named = Sender(
        token=sender.token, service=service or sender.service, services=sender.services, received_ns=sender.received_ns
    )
    return plaintext.read(body, sender=named, severity=severity)


_NDJSON = Format(
    media_types=ndjson.MEDIA_TYPES,
    default_type="",
    read=ndjson.read,
    accept=ndjson.accept,
    refuse=ndjson.refuse,
    parameters=_none,
)
FORMATS = {
    "/v1/logs": Format(
        media_types=otlp.MEDIA_TYPES,
        default_type="",
        read=otlp.read,
        accept=otlp.accept,
        refuse=otlp.refuse,
        parameters=_none,
    ),
    "/loki/api/v1/push": Format(
        media_types=loki.MEDIA_TYPES,
        default_type="application/json",
        read=loki.read,
        accept=loki.accept,
        refuse=loki.refuse,
        parameters=_none,
    ),
    "/api/v1/logs": _NDJSON,
    # The first release's address, which its clients know.
    "/v1/records": _NDJSON,
    "/log": Format(
        media_types=plaintext.MEDIA_TYPES,
        default_type="",
        read=_read_lines,
        accept=plaintext.accept,
        refuse=plaintext.refuse,
        parameters=of_lines,
    ),
}
