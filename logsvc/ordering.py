"""The order of records: by their own time, ties by arrival, as one number that is a record's id.

An id holds microseconds since 1970 in its upper bits and a counter in the lower twelve, so that a range of times is a
range of ids. More than 4096 records of the same microsecond go on in the next one's numbers.
"""

from logsvc.record import NANOSECONDS

COUNTER_BITS = 12
COUNTERS = 1 << COUNTER_BITS
# A clock that is further ahead is wrong, and its records would stay on top of all others.
FUTURE_NS = 600 * NANOSECONDS
# 2000-01-01: what has no clock yet starts at 1970.
EARLIEST_NS = 946_684_800 * NANOSECONDS
HIGHEST_ID = 2**63 - 1
NS_PER_DAY = 86_400 * NANOSECONDS


def is_plausible(time_ns: int, *, received_ns: int) -> bool:
    return EARLIEST_NS <= time_ns <= received_ns + FUTURE_NS


def order_ns(time_ns: int, *, received_ns: int) -> int:
    """The time that a record is ordered by: its own, or its arrival when its own cannot be true."""
    return time_ns if is_plausible(time_ns, received_ns=received_ns) else received_ns


def first_id(time_ns: int) -> int:
    """The lowest id that a record of this microsecond can have, within what a database's integer holds."""
    return min(max(time_ns // 1000, 0) << COUNTER_BITS, HIGHEST_ID)


def first_id_from(time_ns: int) -> int:
    """The lowest id of a record at or after a time: ids know microseconds, so that a part of one counts as the next."""
    return first_id(-(-time_ns // 1000) * 1000)


def nanoseconds(identifier: int) -> int:
    """The time that an id stands for, to the microsecond."""
    return (identifier >> COUNTER_BITS) * 1000
