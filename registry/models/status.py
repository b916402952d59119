"""The statuses of an instance: by its heartbeats, and by an operator's override of them."""

from django.db import models


class Status(models.TextChoices):
    """An instance's status by its heartbeats."""

    STARTING = "starting", "starting"
    PASSING = "passing", "passing"
    WARNING = "warning", "warning"
    CRITICAL = "critical", "critical"


# The statuses in which an instance serves.
GOOD = (Status.PASSING, Status.WARNING)


_MAINTENANCE, _DRAINING = "maintenance", "draining"
# The statuses shown for an operator's override.
OVERRIDDEN = frozenset({_MAINTENANCE, _DRAINING})


def shown_status(status: str, is_in_maintenance: bool, is_draining: bool) -> str:
    """The status that people and clients see: an operator's override before the heartbeats' verdict."""
    if is_in_maintenance:
        return _MAINTENANCE
    return _DRAINING if is_draining else str(status)
