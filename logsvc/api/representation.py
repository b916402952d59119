"""What is kept, as the API shows it."""

from typing import Any

from logsvc import levels, timestamps
from logsvc.models import Record


def record_body(record: Record) -> dict[str, Any]:
    return {
        "id": record.pk,
        "time": timestamps.wire(record.time),
        "received_at": timestamps.wire(record.received_at),
        "level": levels.name(record.level),
        "service": record.service,
        "instance": record.instance,
        "logger": record.logger,
        "message": record.message,
        "attributes": record.attributes,
        "exception": record.exception,
    }
