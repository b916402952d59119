"""The logging of every process: to stderr for its operator, and to the log service."""

import logging
from pathlib import Path
from typing import Any

# The first two would log each batch sent to the log service, without end; Celery's log each tick of beat, and that of
# fonts fifty lines for each report that is printed.
_QUIET = (
    *("httpx2", "httpcore2", "kombu", "amqp"),
    *("celery.beat", "celery.worker.strategy", "celery.app.trace"),
    "fontTools",
)


def configuration(*, service: str, instance: str, token: str, spool_dir: Path) -> dict[str, Any]:
    """Django's LOGGING for a process of `service`; what the log service cannot take yet waits in `spool_dir`.

    `instance` is the name that the registry knows, so that a log line leads to the health of what wrote it; each
    process of the instance is told by its number.
    """
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"format": f"%(asctime)s {service} %(levelname)s %(name)s: %(message)s"},
        },
        "filters": {"refusals": {"()": "config.logs.Refusals"}, "process": {"()": "config.logs.Process"}},
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["refusals"]},
            "logsvc": {
                "class": "logsvc.client.LogHandler",
                "service": service,
                "instance": instance,
                "filters": ["process", "refusals"],
                "token": token,
                "endpoint": "ext://registry.client.django.discovery.logsvc_url",
                "spool_dir": spool_dir,
            },
        },
        "root": {"level": "INFO", "handlers": ["console", "logsvc"]},
        "loggers": {name: {"level": "WARNING"} for name in _QUIET},
    }


class Process(logging.Filter):
    """Adds the number of the process, under OpenTelemetry's name."""

    def filter(self, record: logging.LogRecord) -> bool:
        setattr(record, "process.pid", record.process)
        return True


class Refusals(logging.Filter):
    """Logs an ordinary 400, 403 or 404, which is the caller's fault, as one line of INFO without a traceback.

    A filter of handlers, not of loggers, because each kind of suspicious request has a logger of its own.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith(("django.request", "django.security")) and getattr(record, "status_code", 500) < 500:
            record.levelno, record.levelname = logging.INFO, "INFO"
            record.exc_info = record.exc_text = None
        return True
