"""Up to where each dependent has been told, and how it was tried."""

from django.db import models

from registry.models.instances import LONGEST_NAME, Instance


class Cursor(models.Model):
    """Up to where a dependent has been told.

    `notified_revision` is what the dependent itself is at; between it and `scanned_revision` nothing it requires has
    changed, so that a change of something else costs it neither a message nor a resync.
    """

    instance = models.OneToOneField(Instance, on_delete=models.CASCADE, primary_key=True)
    notified_revision = models.BigIntegerField()
    scanned_revision = models.BigIntegerField()
    # Up to where a message was sent, kept before it is sent: above notified_revision, it may or may not have arrived.
    sent_revision = models.BigIntegerField(default=0)
    lease_until = models.FloatField(default=0.0)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.FloatField(default=0.0)
    # An operator asked for it: tell the dependent to ask for the whole, whatever has changed.
    needs_resync = models.BooleanField(default=False)
    # The receiver answered 410: nothing more until it registers again.
    is_stopped = models.BooleanField(default=False)

    class Meta:
        # notifications.claim: who lags?
        indexes = [models.Index(fields=["scanned_revision"], name="cursor_scanned")]

    def __str__(self) -> str:
        return f"cursor of {self.instance_id} at {self.notified_revision}"


class Delivery(models.Model):
    """One attempt to tell a dependent."""

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
            # retention: which are old?
            models.Index(fields=["at"], name="delivery_at"),
            # admin: what was this dependent told?
            models.Index(fields=["service", "instance", "id"], name="delivery_dependent"),
        ]

    def __str__(self) -> str:
        return f"{self.webhook_id} to {self.service}/{self.instance}"
