"""The state that probes and beats change, their results, and protection."""

from django.db import models

from registry.models.instances import LONGEST_NAME, LONGEST_REASON, Instance
from registry.models.status import Status


class Heartbeat(models.Model):
    """The state that changes at every probe, in a row narrow enough to be rewritten thousands of times a second.

    Times are seconds since the epoch. A claim sets `lease_until`, which also proves the claim when the verdict is
    written: a late or second result writes nothing.
    """

    instance = models.OneToOneField(Instance, on_delete=models.CASCADE, primary_key=True)
    due_at = models.FloatField()
    lease_until = models.FloatField(default=0.0)
    # probe.Health between two probes; the instance's status follows from it.
    verdict = models.CharField(max_length=8, choices=Status.choices, default=Status.STARTING)
    penalty = models.FloatField(default=0.0)
    penalty_at = models.FloatField(default=0.0)
    is_damped = models.BooleanField(default=False)
    failures = models.PositiveIntegerField(default=0)
    successes = models.PositiveIntegerField(default=0)
    last_at = models.FloatField(null=True)
    # The time of the last success.
    passed_at = models.FloatField(null=True)
    latency_ms = models.FloatField(null=True)
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        # leases.claim: what is due?
        indexes = [models.Index(fields=["due_at"], name="heartbeat_due")]

    def __str__(self) -> str:
        return f"heartbeat of {self.instance_id}"


class Rollup(models.Model):
    """Counts of one instance's probe results in one hour, or in one day of UTC.

    By name and not by key, so that it outlives the registration. The day is kept beside its hours so that a quarter of
    a year is ninety rows; the key's order is that of uptime's reads.
    """

    pk = models.CompositePrimaryKey("span_hours", "service", "instance", "start_hour")
    service = models.CharField(max_length=63)
    instance = models.CharField(max_length=LONGEST_NAME)
    span_hours = models.PositiveSmallIntegerField()
    # Hours since the epoch.
    start_hour = models.PositiveIntegerField()
    probes = models.PositiveIntegerField()
    failures = models.PositiveIntegerField()
    warnings = models.PositiveIntegerField()
    # Among those that did not fail: how many were timed, and their total milliseconds.
    timed = models.PositiveIntegerField()
    latency_total_ms = models.FloatField()
    latency_max_ms = models.FloatField()

    class Meta:
        # retention.prune: which are old? Not by span too, or SQLite would use it for the reads of one service.
        indexes = [models.Index(fields=["start_hour"], name="rollup_start")]

    def __str__(self) -> str:
        return f"{self.span_hours} h of {self.service}/{self.instance} from {self.start_hour}"


class Protection(models.Model):
    """mass_failure.State between two judgements, and the last sweep: one row. Times as in Heartbeat."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    since = models.FloatField(null=True)
    reason = models.CharField(max_length=LONGEST_REASON, blank=True)
    stirred_at = models.FloatField(default=0.0)
    muted_until = models.FloatField(default=0.0)
    swept_at = models.FloatField(null=True)
    # The first sweep after a pause.
    resumed_at = models.FloatField(null=True)

    class Meta:
        verbose_name_plural = "protection"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="protection_single")]

    def __str__(self) -> str:
        return self.reason if self.since is not None else "no protection"


class Fall(models.Model):
    """An instance that became critical, or would have, within the window of mass_failure.Limits; one row each.

    Without a key to the instance, so that a deregistration takes back no fall that was counted.
    """

    instance_id = models.BigIntegerField(primary_key=True)
    at = models.FloatField()
    token = models.CharField(max_length=100)
    service = models.CharField(max_length=LONGEST_NAME)
    host = models.CharField(max_length=255)

    class Meta:
        # protection.hold_back: which are recent?
        indexes = [models.Index(fields=["at"], name="fall_at")]

    def __str__(self) -> str:
        return f"fall of {self.service}'s instance {self.instance_id}"


class SignOfLife(models.Model):
    """The time at which a background part of the registry last did its work (watchdog.Part)."""

    part = models.CharField(primary_key=True, max_length=20)
    # Seconds since the epoch.
    at = models.FloatField()

    class Meta:
        verbose_name_plural = "signs of life"

    def __str__(self) -> str:
        return f"{self.part} at {self.at:.0f}"
