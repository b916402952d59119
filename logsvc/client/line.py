"""Encodes a log record as the line of JSON that the log service takes (docs/logsvc.md)."""

import itertools
import json
import logging
import math
import re
import secrets
from datetime import UTC, datetime
from typing import Any

from . import context

# The log service shortens what is longer; cut here, a line always fits into a batch.
TEXT_LENGTH = 32_000
NAME_LENGTH = 200
ATTRIBUTES_LENGTH = 65_536
LINE_BYTES = 1024 * 1024

_LEVELS = frozenset({"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"})
# The attributes that every record has; all others were given as `extra=`.
_OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
# Keys that structlog adds to the records that it hands to the standard library.
_OF_STRUCTLOG = frozenset({"_logger", "_name", "_record", "_from_structlog"})
_EXCEPTION = ("exception.type", "exception.message", "exception.stacktrace")
_formatter = logging.Formatter()
_MILLISECONDS, _NUMBERS = (1 << 48) - 1, (1 << 32) - 1
# Made once: json.dumps makes one at each call that differs from its defaults.
_text = json.JSONEncoder(ensure_ascii=False).encode
_SEVERITY = re.compile(rb'\{"level": ?(?:"([A-Z]+)"|(-?\d+))')


class LineEncoder:
    """Encodes the records of one process. Each has a `uid`, so that it may be sent more than once."""

    def __init__(self, *, service: str, instance: str, host: str) -> None:
        self._origin = f'"service":{_text(service)},"instance":{_text(instance)},"host":{_text(host)}'
        # A UUID of version 7: times come first, so that the log service's index grows at its end. The random part is
        # this process's own, and the number that follows makes each record differ.
        random = secrets.token_hex(5)
        self._uid_middle = f"7{random[:3]}8{random[3:]}"
        self._numbers = itertools.count()
        self._second = (-1, "")

    def encode(self, record: logging.LogRecord) -> bytes:
        """Encode a record as one line, newline included, of at most LINE_BYTES."""
        message, given = _told(record)
        extra = {**context.fields(), **given}
        if record.exc_info or record.exc_text or record.stack_info:
            extra |= _exception(record)
        level = f'"{record.levelname}"' if record.levelname in _LEVELS else record.levelno
        trace = context.trace()
        traced = f',"trace_id":"{trace[0]}","span_id":"{trace[1]}"' if trace else ""
        attributes = f',"attributes":{_attributes(extra)}' if extra else ""
        uid = f"{int(record.created * 1000) & _MILLISECONDS:012x}{self._uid_middle}{next(self._numbers) & _NUMBERS:08x}"
        # In RFC 3339: with a number the log service would have to guess the unit.
        second = math.floor(record.created)
        known, shown = self._second
        if second != known:
            shown = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
            self._second = (second, shown)
        time = f"{shown}.{int((record.created - second) * 1_000_000):06d}Z"
        line = (
            f'{{"level":{level},"uid":"{uid}","time":"{time}",'
            f'{self._origin},"logger":{_text(record.name[:NAME_LENGTH])},"message":{_text(_shortened(message))}{traced}{attributes}}}\n'
        )
        # A lone surrogate, which a file name may hold, has no place in UTF-8.
        return line.encode("utf-8", "replace")


def severity(line: bytes) -> int:
    """The number of a line's level; 0 when another program wrote the line."""
    if (found := _SEVERITY.match(line)) is None:
        return logging.NOTSET
    name, number = found.groups()
    return int(number) if number else int(getattr(logging, name.decode(), logging.NOTSET))


def _told(record: logging.LogRecord) -> tuple[str, dict[str, Any]]:
    """The message, and the fields that were given with it."""
    members = record.__dict__
    extra = {name: members[name] for name in members if name not in _OWN} if members.keys() - _OWN else {}
    try:
        if isinstance(record.msg, dict) and "event" in record.msg:
            fields = {name: value for name, value in record.msg.items() if name not in _OF_STRUCTLOG}
            extra = {name: value for name, value in extra.items() if name not in _OF_STRUCTLOG}
            return str(fields.pop("event")), extra | fields
        return record.getMessage(), extra
    except Exception:
        return f"{_shown(record.msg)} {_shown(record.args)} (the arguments do not fit the message)", extra


def _exception(record: logging.LogRecord) -> dict[str, str]:
    """OpenTelemetry's standard attributes of an exception."""
    members = {}
    if record.exc_info and record.exc_info[0] is not None:
        kind, error, _ = record.exc_info
        name = kind.__qualname__
        members["exception.type"] = name if kind.__module__ == "builtins" else f"{kind.__module__}.{name}"
        try:
            members["exception.message"] = _shortened(str(error))
        except Exception:
            members["exception.message"] = f"<{name} without a text>"
    text = record.exc_text or ""
    if record.exc_info and not text:
        try:
            text = _formatter.formatException(record.exc_info)
        except Exception as error:
            text = f"(the traceback cannot be shown: {type(error).__name__})"
    stack = _formatter.formatStack(record.stack_info) if record.stack_info else ""
    if stacktrace := "\n".join(filter(None, (text, stack))):
        members["exception.stacktrace"] = _shortened(stacktrace)
    return members


def _attributes(extra: dict[str, Any]) -> str:
    """Encode any values as JSON; those that JSON cannot express are shown by `repr`."""
    try:
        text = _json(extra)
    except (ValueError, TypeError, RecursionError):
        text = _text({str(name): _shown(value) for name, value in extra.items()})
    if len(text) <= ATTRIBUTES_LENGTH:
        return text
    standard = {name: extra[name] for name in _EXCEPTION if isinstance(extra.get(name), str)}
    return _text(
        {"shortened": text[: TEXT_LENGTH // 2]} | {name: _shortened(value) for name, value in standard.items()}
    )


def _shown(value: Any) -> str:
    try:
        return repr(value)
    except Exception:
        return f"<{type(value).__name__} without a repr>"


_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=_shown).encode


def _shortened(text: str) -> str:
    """Cut the middle out: a traceback says at its end what happened."""
    if len(text) <= TEXT_LENGTH:
        return text
    half = TEXT_LENGTH // 2
    return f"{text[:half]}\n… ({len(text)} characters)\n{text[-half:]}"
