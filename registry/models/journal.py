"""The journal: every change, in the order of one revision."""

from django.db import models

from registry.models.instances import LONGEST_NAME, LONGEST_REASON


class Change(models.TextChoices):
    REGISTERED = "registered", "registered"
    CHANGED = "changed", "changed"
    PASSING = "passing", "became passing"
    WARNING = "warning", "became warning"
    CRITICAL = "critical", "became critical"
    SUSPECT = "suspect", "became suspect"
    MAINTENANCE = "maintenance", "maintenance began"
    MAINTENANCE_ENDED = "maintenance-ended", "maintenance ended"
    DRAINING = "draining", "began to drain"
    DEREGISTERED = "deregistered", "deregistered"


class JournalEntry(models.Model):
    """One change. `before` and `after` are digests of what dependents were offered, empty where they were not."""

    revision = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    change = models.CharField(max_length=17, choices=Change.choices)
    service = models.CharField(max_length=63)
    instance = models.CharField(max_length=LONGEST_NAME)
    author = models.CharField(max_length=100)
    reason = models.CharField(max_length=LONGEST_REASON, blank=True)
    before = models.CharField(max_length=16, blank=True)
    after = models.CharField(max_length=16, blank=True)
    # The instance as a provider, after the change.
    provider = models.JSONField()

    class Meta:
        ordering = ["-revision"]
        verbose_name_plural = "journal entries"
        # log.between: what happened to these services since?
        indexes = [models.Index(fields=["service", "revision"], name="journal_service")]

    def __str__(self) -> str:
        return f"{self.revision}: {self.service}/{self.instance} {self.change}"


class Head(models.Model):
    """The journal's revision: one row, locked from a change's append to its commit, so revisions appear in order."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    revision = models.BigIntegerField(default=0)
    # Random: distinguishes this database's revisions from another's, and from those that a restored copy has lost.
    history = models.CharField(max_length=8)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="head_single")]

    def __str__(self) -> str:
        return str(self.revision)
