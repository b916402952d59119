"""Preparation of a process that is about to serve."""

from django.db import DEFAULT_DB_ALIAS, connections

# Less than the time in which a request is to be answered.
LOCK_SECONDS = 3
# For the lock of a row, twice in that time: a group of writes that met one is stored one by one.
ROW_LOCK_MILLISECONDS = 1500


def wait_briefly() -> None:
    """Have each of this process's connections wait for a lock no longer than a client waits for its answer.

    A worker, for which nobody waits, outlasts the lock's holder.
    """
    settings = connections.settings[DEFAULT_DB_ALIAS]
    options = settings["OPTIONS"]
    if settings["ENGINE"] == "config.sqlite":
        options["timeout"] = LOCK_SECONDS
    else:
        options["options"] = f"{options.get('options', '')} -c lock_timeout={ROW_LOCK_MILLISECONDS}ms"
