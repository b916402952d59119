"""Keeps the log service from logging about the batches that it refuses."""

import logging

# Django's message about a refused batch would itself be sent as a record, be refused, and so on without end.
_LOGGERS = ("django.request", "django.security.DisallowedHost")
_INGEST_PATHS = frozenset({"/api/v1/logs", "/log", "/loki/api/v1/push", "/v1/logs", "/v1/records"})


class NotOfIngest(logging.Filter):
    """Drops messages about a refused batch, whose sender has the answer. Faults of the service pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        if request is None or request.method != "POST" or request.path not in _INGEST_PATHS:
            return True
        return bool(getattr(record, "status_code", 500) >= 500)


def install() -> None:
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(NotOfIngest())
