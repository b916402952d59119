"""Free ids for new records: a record's place in the order of times, ties by arrival (logsvc/ordering.py)."""

from collections.abc import Callable, Sequence

from logsvc.ordering import COUNTER_BITS, COUNTERS, first_id, order_ns
from logsvc.record import Record

# Which of these ids are stored.
Taken = Callable[[list[int]], set[int]]
# The highest id that is stored from the first on and below the second.
Last = Callable[[int, int], int | None]


def choose(records: Sequence[Record], *, received_ns: int, taken: Taken, last: Last) -> list[int]:
    """A free id for each record: ties are in the order of nanoseconds, and then of arrival."""
    times = [order_ns(record.time_ns, received_ns=received_ns) for record in records]
    found, order = [0] * len(records), sorted(range(len(records)), key=times.__getitem__)
    following = 0
    for index in order:
        found[index] = following = max(first_id(times[index]), following)
        following += 1
    stored = taken(found)
    if stored:
        _move(found, stored, order, taken, last)
    return found


def _move(found: list[int], stored: set[int], order: Sequence[int], taken: Taken, last: Last) -> None:
    """Give those whose id is stored the next free one."""
    used: set[int] = set()
    free_after: dict[int, int] = {}
    for index in order:
        wanted = found[index]
        block = wanted >> COUNTER_BITS
        wanted = max(wanted, free_after.get(block, 0))
        while wanted in used or wanted in stored or taken([wanted]):
            end = (wanted // COUNTERS + 1) * COUNTERS
            wanted = max(wanted, last(wanted, end) or 0) + 1
            while wanted in used:
                wanted += 1
        found[index] = wanted
        used.add(wanted)
        free_after[block] = wanted + 1
