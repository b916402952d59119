"""Records as the API shows them."""

from typing import Any

from logsvc import severity, timestamps
from logsvc.record import EXCEPTION_STACKTRACE, Stored, exception_text


def record_body(record: Stored) -> dict[str, Any]:
    """Ids are texts, as JavaScript's numbers do not hold them."""
    return {
        "id": str(record.id),
        "seq": record.seq,
        "time": timestamps.wire(record.time_ns),
        "observed_time": timestamps.wire(record.observed_ns),
        "received_at": timestamps.wire(record.received_ns),
        "level": severity.range_of(record.severity).name,
        "severity_number": record.severity,
        "severity_text": record.severity_text,
        "service": record.service,
        "instance": record.instance,
        "host": record.host,
        "logger": record.logger,
        "message": record.body,
        "attributes": record.attributes,
        "trace_id": record.trace_id,
        "span_id": record.span_id,
        "uid": record.uid,
        "token": record.token,
        "notes": record.notes,
    }


def first_release_body(record: Stored) -> dict[str, Any]:
    """A record as GET /v1/records has shown it since the first release."""
    return {
        "id": record.id,
        "time": timestamps.wire(record.time_ns // 1000 * 1000),
        "received_at": timestamps.wire(record.received_ns // 1000 * 1000),
        "level": severity.python_name(record.severity),
        "service": record.service,
        "instance": record.instance,
        "logger": record.logger,
        "message": record.body,
        "attributes": {name: value for name, value in record.attributes.items() if name != EXCEPTION_STACKTRACE},
        "exception": exception_text(record),
    }
