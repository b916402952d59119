"""Log records as they are kept."""

from uuid import uuid4

from django.db import models

from logsvc import levels


class Record(models.Model):
    # What the sender says; it may be minutes before received_at, after an outage, or wrong.
    time = models.DateTimeField()
    received_at = models.DateTimeField()
    level = models.PositiveSmallIntegerField()
    service = models.CharField(max_length=100)
    instance = models.CharField(max_length=100, blank=True)
    logger = models.CharField(max_length=200, blank=True)
    message = models.TextField(blank=True)
    attributes = models.JSONField(default=dict)
    exception = models.TextField(blank=True)
    # Made by the sender, so that a batch sent twice is kept once.
    uid = models.UUIDField(default=uuid4, unique=True)

    class Meta:
        indexes = [
            # query.newest of one service, a page at a time; catalogue of names with their counts.
            models.Index(fields=["service", "id"], name="record_of_service"),
            # query.newest from a level of WARNING on: few records among many, in the order they are asked for.
            models.Index(fields=["id"], condition=models.Q(level__gte=30), name="record_alarming"),
            # query.newest with since or until.
            models.Index(fields=["time"], name="record_time"),
        ]

    def __str__(self) -> str:
        return f"{self.time.isoformat()} {self.service} {levels.name(self.level)} {self.message[:80]}"
