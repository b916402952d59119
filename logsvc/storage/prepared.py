"""Batches made ready to be stored: all the work on a record that needs no look at the database.

It is most of the work in Python, and is done by the threads that read bodies, so that the one that stores does little
else than run statements, during which it does not hold the interpreter's lock.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from logsvc import ordering
from logsvc.storage.rows import SERVICE, UID, Counts, counts, minutes_of_times, without_uid


@dataclass(kw_only=True, slots=True)
class Prepared:
    """Columns of equally many items: a record's time, row (rows.values), index entry, kind and size.

    `counted` counts the records in the minutes of their own times.
    """

    times: list[int] = field(default_factory=list)
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    entries: list[Any] = field(default_factory=list)
    kinds: list[tuple[str, int]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    counted: list[Counts] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rows)

    def uids(self) -> list[Any]:
        """The uids of the records that have one, as the database has them."""
        return [row[UID] for row in self.rows if row[UID]]

    def without(self, known: Mapping[Any, str], *, no_uid: Any) -> tuple["Prepared", list[int]]:
        """The records whose uid is not known, each uid once, and their places here; `known` are services by uid.

        A record whose uid is that of another service's is kept with `no_uid`: nobody who guesses the ids of others, and
        sends them first, has their records taken for repeated ones.
        """
        seen = {**known}
        places = []
        for place, row in enumerate(self.rows):
            uid = row[UID]
            if uid:
                first = seen.get(uid)
                if first is None:
                    seen[uid] = row[SERVICE]
                elif first == row[SERVICE]:
                    continue
                else:
                    self.rows[place] = without_uid(row, no_uid)
            places.append(place)
        return self if len(places) == len(self) else self._picked(places), places

    def order_times(self, received_ns: int) -> list[int]:
        """The times by which the records are ordered (logsvc/ordering.py): `times` itself where all can be true."""
        if all(ordering.is_plausible(each, received_ns=received_ns) for each in (min(self.times), max(self.times))):
            return self.times
        return [ordering.order_ns(time_ns, received_ns=received_ns) for time_ns in self.times]

    def _picked(self, places: Sequence[int]) -> "Prepared":
        times = [self.times[place] for place in places]
        kinds = [self.kinds[place] for place in places]
        sizes = [self.sizes[place] for place in places]
        return Prepared(
            times=times,
            rows=[self.rows[place] for place in places],
            entries=[self.entries[place] for place in places],
            kinds=kinds,
            sizes=sizes,
            counted=[counts(minutes_of_times(times), kinds, sizes)],
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed:
    """Rows and index entries in the order of the ids that they have now; `seqs` number their arrival."""

    ids: Sequence[int] = ()
    seqs: Sequence[int] = ()
    received_ns: int = 0
    rows: Sequence[tuple[Any, ...]] = ()
    entries: Sequence[Any] = ()
    counted: Sequence[Counts] = ()


def joined(batches: Iterable[Prepared]) -> Prepared:
    """All records of these batches, which stay as they are."""
    whole = Prepared()
    for batch in batches:
        whole.times += batch.times
        whole.rows += batch.rows
        whole.entries += batch.entries
        whole.kinds += batch.kinds
        whole.sizes += batch.sizes
        whole.counted += batch.counted
    return whole
