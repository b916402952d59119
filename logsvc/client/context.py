"""Fields bound to a task or thread, which every record logged there carries."""

import contextlib
import sys
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

_NONE: Mapping[str, Any] = MappingProxyType({})
_fields: ContextVar[Mapping[str, Any]] = ContextVar("logsvc_fields", default=_NONE)


def fields() -> Mapping[str, Any]:
    """The fields bound in the current context."""
    return _fields.get()


def bind(**values: Any) -> None:
    """Add fields to every record of the current context: of this thread, or of this asyncio task and its children."""
    _fields.set({**_fields.get(), **values})


def unbind(*names: str) -> None:
    """Remove fields; unknown names are ignored."""
    _fields.set({name: value for name, value in _fields.get().items() if name not in names})


@contextlib.contextmanager
def bound(**values: Any) -> Iterator[None]:
    """Bind fields for the length of a `with` block."""
    token = _fields.set({**_fields.get(), **values})
    try:
        yield
    finally:
        _fields.reset(token)


def trace() -> tuple[str, str] | None:
    """The trace and span ids of OpenTelemetry's current span, as hex; None without one, or without OpenTelemetry."""
    # Looked up rather than imported: a program without OpenTelemetry must not pay for finding that out at each record.
    opentelemetry = sys.modules.get("opentelemetry.trace")
    if opentelemetry is None:
        return None
    current = opentelemetry.get_current_span().get_span_context()
    return (f"{current.trace_id:032x}", f"{current.span_id:016x}") if current.is_valid else None
