"""`text/plain`: one record a line, for programs that can send nothing else."""

from config.problems import Problem, RawResponse
from logsvc import bounds
from logsvc.bounds import Notes
from logsvc.ingest import answers
from logsvc.ingest.batch import Batch, Sender
from logsvc.record import Record

MEDIA_TYPES = frozenset({"text/plain"})


def read(body: bytes, *, sender: Sender, severity: int) -> Batch:
    """A record for every line that is not blank; bytes that are no UTF-8 are replaced, none refused."""
    if body.startswith(b"\x1f\x8b"):
        raise Problem("The body is gzip: say so with the header `Content-Encoding: gzip`.")
    batch = Batch(sender=sender)
    for number, line in enumerate(body.decode("utf-8-sig", errors="replace").split("\n"), start=1):
        line = line.rstrip()
        if line:
            notes = Notes()
            record = Record(
                time_ns=sender.received_ns,
                observed_ns=sender.received_ns,
                severity=severity,
                service=sender.service,
                body=bounds.text(line, "message", notes, at_most=bounds.BODY_LENGTH),
            )
            bounds.names(record, notes)
            batch.add(number, record, notes)
    return batch


def accept(batch: Batch, content_type: str) -> RawResponse:
    return answers.counts(batch)


def refuse(problem: Problem, content_type: str) -> RawResponse:
    return problem.response()
