"""Dependents' cursors in the journal, and the attempts to deliver to them."""

from django.db import models

from registry.models.instances import LONGEST_NAME, Instance


class Cursor(models.Model):
    """A dependent's place in the journal.

    `notified_revision` is what the dependent itself is at; between it and `scanned_revision` nothing it requires has
    changed, so that a change of something else costs it neither a message nor a resync.
    """

    instance = models.OneToOneField(Instance, on_delete=models.CASCADE, primary_key=True)
    notified_revision = models.BigIntegerField()
    scanned_revision = models.BigIntegerField()
    # Stored before a message up to there is sent: above notified_revision, it may or may not have arrived.
    sent_revision = models.BigIntegerField(default=0)
    lease_until = models.FloatField(default=0.0)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.FloatField(default=0.0)
    # When that was set: were it in the future, a clock was ahead then, and it is due now.
    put_off_at = models.FloatField(default=0.0, db_default=0.0)
    # An operator asked for it: have the dependent ask for the whole, whatever has changed.
    needs_resync = models.BooleanField(default=False)
    # The receiver answered 410: nothing more until it registers again.
    is_stopped = models.BooleanField(default=False)

    class Meta:
        # cursors.claim: which lag?
        indexes = [models.Index(fields=["scanned_revision"], name="cursor_scanned")]

    def __str__(self) -> str:
        return f"cursor of {self.instance_id} at {self.notified_revision}"


class Delivery(models.Model):
    """One attempt to deliver to a dependent."""

    at = models.DateTimeField()
    service = models.CharField(max_length=63)
    instance = models.CharField(max_length=LONGEST_NAME)
    webhook_id = models.CharField(max_length=80)
    from_revision = models.BigIntegerField()
    to_revision = models.BigIntegerField()
    status_code = models.PositiveSmallIntegerField(null=True)
    duration_ms = models.FloatField()
    error = models.CharField(max_length=300, blank=True)
    answer = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "deliveries"
        indexes = [
            # retention.prune: which are old?
            models.Index(fields=["at"], name="delivery_at"),
            # admin/deliveries.py: which deliveries did this dependent get?
            models.Index(fields=["service", "instance", "id"], name="delivery_dependent"),
        ]

    def __str__(self) -> str:
        return f"{self.webhook_id} to {self.service}/{self.instance}"
