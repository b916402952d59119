"""A log record as the line of JSON that the log service takes (docs/logsvc.md)."""

import json
import logging
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

# The log service shortens what is longer; cut here, a line always fits into a batch.
TEXT_LENGTH = 32_000
ATTRIBUTES_LENGTH = 65_536
LINE_BYTES = 512 * 1024

_LEVELS = frozenset({"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"})
# What every record has; the rest of its attributes was given as `extra=`.
_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_formatter = logging.Formatter()


def encode(record: logging.LogRecord, *, service: str, instance: str) -> bytes:
    """One line, newline included, of at most LINE_BYTES. It has a `uid`, so that it may be sent more than once."""
    members: dict[str, Any] = {
        "uid": uuid4().hex,
        # Written out, because of a number the log service must guess the unit.
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
        "level": record.levelname if record.levelname in _LEVELS else record.levelno,
        "logger": record.name,
        "message": _shortened(_message(record)),
        "service": service,
        "instance": instance,
    }
    if exception := _exception(record):
        members["exception"] = _shortened(exception)
    extra = {name: value for name, value in record.__dict__.items() if name not in _OWN}
    attributes = f', "attributes": {_attributes(extra)}}}' if extra else "}"
    # A lone surrogate, which a file name may hold, has no place in UTF-8.
    return (json.dumps(members, ensure_ascii=False)[:-1] + attributes + "\n").encode("utf-8", "replace")


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:
        return f"{record.msg!r} {record.args!r} (the arguments do not fit the message)"


def _exception(record: logging.LogRecord) -> str:
    text = record.exc_text or (_formatter.formatException(record.exc_info) if record.exc_info else "")
    stack = _formatter.formatStack(record.stack_info) if record.stack_info else ""
    return "\n".join(filter(None, (text, stack)))


def _attributes(extra: dict[str, Any]) -> str:
    """JSON whatever the values are; those that JSON has nothing for are shown by `repr`."""
    try:
        text = json.dumps(extra, ensure_ascii=False, allow_nan=False, default=_shown)
    except (ValueError, TypeError, RecursionError):
        text = json.dumps({name: _shown(value) for name, value in extra.items()}, ensure_ascii=False)
    if len(text) > ATTRIBUTES_LENGTH:
        return json.dumps({"shortened": text[: TEXT_LENGTH // 2]}, ensure_ascii=False)
    return text


def _shown(value: Any) -> str:
    try:
        return repr(value)
    except Exception:
        return f"<{type(value).__name__} without a repr>"


def _shortened(text: str) -> str:
    """The end is kept: it is where a traceback says what happened."""
    if len(text) <= TEXT_LENGTH:
        return text
    half = TEXT_LENGTH // 2
    return f"{text[:half]}\n… ({len(text)} characters)\n{text[-half:]}"
