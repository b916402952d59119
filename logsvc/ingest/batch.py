"""The records of one request, and its rejected ones."""

from dataclasses import dataclass, field

from config.problems import Problem
from logsvc import ordering
from logsvc.access import Services
from logsvc.bounds import Notes
from logsvc.record import Record

LISTED_AT_MOST = 100
RECORDS_AT_MOST = 50_000
# What the records of a batch may be given together of what stands in it once, such as the attributes of a resource.
COPIED_BYTES_AT_MOST = 32 * 1024 * 1024


class TooManyRecords(Problem):
    def __init__(self) -> None:
        super().__init__(f"A request may hold at most {RECORDS_AT_MOST} records: send fewer at once.")


@dataclass(frozen=True, kw_only=True)
class Sender:
    """The sender of a request. `service` is given to records that name none."""

    token: str
    service: str
    services: Services
    received_ns: int


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """A record that was rejected, by its place from 1, and what to change in it."""

    line: int
    detail: str


@dataclass(kw_only=True)
class Batch:
    sender: Sender
    records: list[Record] = field(default_factory=list)
    # How many records were taken, also when they are no longer here.
    accepted: int = 0
    rejected: list[Rejection] = field(default_factory=list)
    rejected_count: int = 0
    # The size of the decompressed body, which tells how much memory the batch takes.
    size_bytes: int = 0
    copied_bytes: int = 0

    def copy(self, size_bytes: int) -> None:
        """Note the size of what a record copies from its batch. Raises Problem when the copies are too large."""
        self.copied_bytes += size_bytes
        if self.copied_bytes > COPIED_BYTES_AT_MOST:
            raise Problem(
                "What stands once for many records, the attributes of a resource or the labels of a stream, would take "
                f"more than {COPIED_BYTES_AT_MOST} bytes in all of them: send fewer records at once."
            )

    def add(self, place: int, record: Record, notes: Notes) -> None:
        """Accept a record, unless the token may not log for its service."""
        if not record.service:
            self.reject(place, "It names no service, and the token stands for more than one: give `service`.")
            return
        if not self.sender.services.are_all and record.service not in self.sender.services:
            self.reject(place, f"The token {self.sender.token!r} may not log for the service {record.service!r}.")
            return
        if not ordering.is_plausible(record.time_ns, received_ns=self.sender.received_ns):
            notes.add("time: it cannot be true; the record is ordered by its arrival.")
        record.token = self.sender.token
        if notes:
            record.notes = list(notes)
        self.records.append(record)
        self.accepted += 1
        if self.accepted + self.rejected_count > RECORDS_AT_MOST:
            raise TooManyRecords

    def reject(self, place: int, detail: str) -> None:
        self.rejected_count += 1
        if self.accepted + self.rejected_count > RECORDS_AT_MOST:
            raise TooManyRecords
        if len(self.rejected) < LISTED_AT_MOST:
            self.rejected.append(Rejection(line=place, detail=detail))

    def summary(self) -> str:
        """Summarise the rejections in one sentence; "" when there are none."""
        if not self.rejected_count:
            return ""
        first = self.rejected[0]
        return f"{self.rejected_count} rejected; the first is number {first.line}: {first.detail}"
