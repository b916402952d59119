"""The limit on open files, within which connections are kept."""

import resource

# Reserved for other files: the database, the broker, name lookups, logs.
RESERVED = 256


def room_for(connections: int) -> int:
    """Return how many connections this process may open, after raising its limit as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + RESERVED
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return connections
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return max(1, allowed - RESERVED)
