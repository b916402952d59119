"""The limit on open files of a process that serves: each of its connections is one."""

import resource

# More than one address can open to one port.
MOST = 65_536


def raise_limit() -> None:
    """Raise the limit as far as the system allows, up to MOST; called in a process that serves (settings.WHEN_SERVING).

    Most systems begin with 1,024: anybody could use these up with connections on which nothing is asked.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
