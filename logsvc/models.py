"""What the log service keeps through Django's models; records are in the store (logsvc/storage/)."""

from django.db import models
from django.db.models import Q

from logsvc import severity


class RetentionRule(models.Model):
    """How long records of some services and levels are kept, and how much room they may take.

    The rule that names a service most closely decides, and among those the one that names the level; where no rule
    decides, LOGSVC_RETENTION_DAYS does.
    """

    # A name, a prefix that ends in `*`, or "" for every service.
    service = models.CharField(max_length=100, blank=True, help_text="A name, or a prefix and *; empty: every service.")
    # A range of severities, or "" for every level.
    level = models.CharField(
        max_length=11, blank=True, choices=[(name, name) for name in severity.NAMES], help_text="Empty: every level."
    )
    keep_days = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: as long as the default.")
    keep_mebibytes = models.PositiveIntegerField(
        null=True, blank=True, help_text="Of each service, counted before compression. Empty: no limit."
    )
    is_archived = models.BooleanField(default=False, help_text="Written to the archive before it is deleted.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["service", "level"], name="one_retention_rule_each"),
            models.CheckConstraint(
                condition=Q(keep_days__isnull=False) | Q(keep_mebibytes__isnull=False) | Q(is_archived=True),
                name="retention_rule_says_something",
                violation_error_message="Give days, a size, or that records are archived.",
            ),
        ]
        ordering = ["service", "level"]

    def __str__(self) -> str:
        return f"{self.service or 'every service'}, {self.level or 'every level'}"
