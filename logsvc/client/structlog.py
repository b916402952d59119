"""Sends structlog's events directly, without the standard library's loggers."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

from .handler import LogHandler

_LEVELS = {"exception": logging.ERROR, "warn": logging.WARNING, "fatal": logging.CRITICAL, "msg": logging.INFO}


class StructlogProcessor:
    """A processor that sends each event through a `LogHandler` and passes it on unchanged.

    It belongs before the processors that turn `exc_info` into text and the event into a line. `event` is the message,
    `logger` names the logger, and every other key becomes an attribute.
    """

    def __init__(self, handler: LogHandler) -> None:
        self._handler = handler

    def __call__(self, logger: Any, method_name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        level = _LEVELS.get(method_name) or logging.getLevelNamesMapping().get(method_name.upper(), logging.INFO)
        if level < self._handler.level:
            return event
        fields = dict(event)
        name = str(fields.pop("logger", "") or "structlog")
        exc_info = fields.pop("exc_info", None)
        if isinstance(exc_info, BaseException):
            exc_info = (type(exc_info), exc_info, exc_info.__traceback__)
        elif exc_info and not isinstance(exc_info, tuple):
            exc_info = sys.exc_info()
        for known in ("level", "timestamp"):
            fields.pop(known, None)
        message = {"event": "", **fields}
        self._handler.handle(logging.LogRecord(name, level, "", 0, message, None, exc_info or None))
        return event
