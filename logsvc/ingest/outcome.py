"""What became of a batch, line by line."""

from dataclasses import dataclass, field

from logsvc.entries import Entry

LISTED_AT_MOST = 100


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """A line that is no record, counted from 1, and what to change in it."""

    line: int
    detail: str


@dataclass(kw_only=True)
class Outcome:
    """The records of a batch, and the first of its lines that hold none."""

    entries: list[Entry] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)

    def reject(self, line: int, detail: str) -> None:
        if len(self.rejected) < LISTED_AT_MOST:
            self.rejected.append(Rejection(line=line, detail=detail))
