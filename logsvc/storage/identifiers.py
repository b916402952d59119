"""Chooses ids for new records: their places in the order of times, ties by arrival (logsvc/ordering.py)."""

from collections.abc import Callable, Collection, Mapping, Sequence

from logsvc.ordering import COUNTER_BITS

# Finds the highest id that is stored of each of these microseconds; those that have none are left out.
Highest = Callable[[list[int]], Mapping[int, int]]


def choose(times: Sequence[int]) -> list[int]:
    """Choose an id for each record, given the times by which they are ordered (ordering.order_ns); ties are in the
    order of nanoseconds, and then of arrival.
    """
    found = [0] * len(times)
    following = 0
    for index in _order(times):
        identifier = times[index] // 1000 << COUNTER_BITS
        if identifier < following:
            identifier = following
        found[index] = identifier
        following = identifier + 1
    return found


def moved(chosen: Sequence[int], times: Sequence[int], *, stored: Collection[int], highest: Highest) -> list[int]:
    """Move the chosen ids that are stored already to the next free ones after all of their microsecond."""
    found = list(chosen)
    conflicts = sorted({identifier >> COUNTER_BITS for identifier in stored})
    free_from = {microsecond: last + 1 for microsecond, last in highest(conflicts).items()}
    used: set[int] = set()
    # By the microsecond that a record is of, whose ids may go on in the next one's.
    following: dict[int, int] = {}
    for index in _order(times):
        own = found[index] >> COUNTER_BITS
        wanted = max(found[index], following.get(own, 0))
        is_free = wanted == found[index] and wanted not in stored and wanted not in used
        while not is_free:
            microsecond = wanted >> COUNTER_BITS
            if microsecond not in free_from:
                free_from[microsecond] = highest([microsecond]).get(microsecond, wanted - 1) + 1
            wanted = max(wanted, free_from[microsecond])
            while wanted in used:
                wanted += 1
            is_free = wanted >> COUNTER_BITS == microsecond
        found[index] = wanted
        used.add(wanted)
        following[own] = wanted + 1
    return found


def _order(times: Sequence[int]) -> list[int]:
    return sorted(range(len(times)), key=times.__getitem__)
