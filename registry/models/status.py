"""What is said of an instance: by its heartbeats, and by an operator before them."""

from django.db import models


class Status(models.TextChoices):
    """What heartbeats say of an instance."""

    STARTING = "starting", "starting"
    PASSING = "passing", "passing"
    WARNING = "warning", "warning"
    CRITICAL = "critical", "critical"


# The statuses in which an instance serves.
GOOD = (Status.PASSING, Status.WARNING)


_MAINTENANCE, _DRAINING = "maintenance", "draining"
# What is shown by an operator's word.
OVERRIDDEN = frozenset({_MAINTENANCE, _DRAINING})


def shown_status(status: str, is_in_maintenance: bool, is_draining: bool) -> str:
    """What people and clients see: an operator's word before the heartbeats'."""
    if is_in_maintenance:
        return _MAINTENANCE
    return _DRAINING if is_draining else str(status)
