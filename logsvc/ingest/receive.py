"""Handles a request with records, from its headers to its answer, under any server."""

import time
from dataclasses import dataclass
from urllib.parse import parse_qsl

from django.conf import settings

from config.problems import Problem, RawResponse
from config.tokens import gate
from config.tokens.holder import Holder
from logsvc import access
from logsvc.ingest import content
from logsvc.ingest.batch import Batch, Sender
from logsvc.ingest.formats import Format
from logsvc.parameters import Parameters
from logsvc.storage.current import store
from logsvc.storage.prepared import Prepared

# The limit on the records that one token sends, rejected ones too: each is read.
RECORDS = "records_per_second"
# The bytes of a refused body that count as one record, and the bytes of any body that count as at least one.
RECORD_BYTES, MOST_RECORD_BYTES = 200, 2000


@dataclass(frozen=True, kw_only=True)
class Head:
    """The head of a request: its format, query string and headers."""

    format: Format
    query: str
    content_type: str
    content_encoding: str


def check(head: Head, holder: Holder) -> None:
    """Check a request before its body is read. Raises Problem."""
    access.writable(holder)
    gate.current().limits.check_rate(holder, RECORDS)
    head.format.media_type(head.content_type)
    content.check(head.content_encoding)


def read(head: Head, body: bytes, *, holder: Holder) -> Batch:
    """Read the records of a request. Raises Problem when none can be read."""
    services = access.writable(holder)
    sender = Sender(
        token=holder.name,
        service=access.own_service(holder, services),
        services=services,
        received_ns=time.time_ns(),
    )
    media_type = head.format.media_type(head.content_type)
    parameters = head.format.parameters(Parameters(dict(parse_qsl(head.query, keep_blank_values=True))))
    size_bytes = len(body)
    try:
        plain = content.decompress(body, encoding=head.content_encoding, limit_bytes=settings.BODY_LIMIT_BYTES)
        size_bytes = len(plain)
        batch = head.format.read(plain, sender=sender, content_type=media_type, **parameters)
    except Problem:
        # It was read all the same.
        gate.current().limits.charge(holder, RECORDS, size_bytes // RECORD_BYTES)
        raise
    batch.size_bytes = size_bytes
    count = max(batch.accepted + batch.rejected_count, size_bytes // MOST_RECORD_BYTES)
    gate.current().limits.spend(holder, RECORDS, count)
    return batch


def prepare(head: Head, body: bytes, *, holder: Holder) -> tuple[Batch, Prepared]:
    """Read the records of a request and make them ready to be stored; the batch keeps none. Raises as `read` does."""
    batch = read(head, body, holder=holder)
    prepared = store().prepare(batch.records)
    batch.records.clear()
    return batch, prepared


def accept(head: Head, batch: Batch) -> RawResponse:
    return head.format.accept(batch, _kind(head))


def refuse(head: Head, problem: Problem) -> RawResponse:
    return head.format.refuse(problem, _kind(head))


def _kind(head: Head) -> str:
    return head.content_type.partition(";")[0].strip().lower()
