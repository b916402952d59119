"""Registered instances, operators' overrides, and deregistered runs."""

from datetime import datetime

from django.db import models
from django.db.models.functions import Lower

from registry.models.sealing import SealedField
from registry.models.status import GOOD, Status, shown_status


class HeartbeatKind(models.TextChoices):
    # The first probe that reaches the instance chooses HTTP or TCP.
    AUTO = "auto", "not chosen yet"
    HTTP = "http", "HTTP"
    TCP = "tcp", "TCP"
    TTL = "ttl", "TTL"


# The longest name of an instance; a service's is shorter (wire/limits.py).
LONGEST_NAME = 255
LONGEST_INCARNATION = 64
LONGEST_URL = 500
LONGEST_REASON = 500
DRAINING = models.Q(draining_until__isnull=False)


class Instance(models.Model):
    """A registration as declared; what changes at every probe is in Heartbeat."""

    service = models.CharField(max_length=63)
    name = models.CharField("instance", max_length=LONGEST_NAME)
    url = models.CharField("URL", max_length=LONGEST_URL)
    requires = models.JSONField(default=list, blank=True)
    notify_url = models.CharField("notify URL", max_length=LONGEST_URL, null=True, blank=True)
    notify_secret = SealedField(null=True, blank=True)
    # For a while after a rotation webhooks are signed with both secrets, so that none is refused.
    previous_notify_secret = SealedField(null=True, blank=True)
    previous_secret_until = models.DateTimeField(null=True, blank=True)
    tags = models.JSONField(default=list, blank=True)
    zone = models.CharField(max_length=100, blank=True)
    version = models.CharField(max_length=100, blank=True)
    weight = models.PositiveSmallIntegerField(default=100)
    metadata = models.JSONField(default=dict, blank=True)
    # The run of the process, as it names itself: a deregistered run cannot register again.
    incarnation = models.CharField(max_length=LONGEST_INCARNATION, blank=True)

    heartbeat_kind = models.CharField(max_length=4, choices=HeartbeatKind.choices, default=HeartbeatKind.AUTO)
    # Declared without a kind: any HTTP answer below 500 passes.
    is_kind_chosen = models.BooleanField(default=False)
    # Declared to accept a silent connection that is held open.
    is_watched = models.BooleanField(default=False)
    heartbeat_url = models.CharField("heartbeat URL", max_length=LONGEST_URL)
    interval_seconds = models.FloatField(default=10.0)
    timeout_seconds = models.FloatField(default=5.0)
    warn_after_seconds = models.FloatField(null=True, blank=True)
    failures_before_critical = models.PositiveSmallIntegerField(default=3)
    successes_before_passing = models.PositiveSmallIntegerField(default=1)
    deregister_after_seconds = models.FloatField(null=True, blank=True)

    status = models.CharField(max_length=8, choices=Status.choices, default=Status.STARTING)
    status_since = models.DateTimeField()
    status_reason = models.CharField(max_length=LONGEST_REASON, blank=True)
    # Its heartbeats fail, but the fault is probably ours (health/protection.py): it keeps its status and stays offered.
    is_suspect = models.BooleanField(default=False)
    # Whether Maintenance of it or its service holds now; stored here so that reading what is offered needs one table.
    is_in_maintenance = models.BooleanField(default=False)
    draining_until = models.DateTimeField(null=True, blank=True)
    # Since when and why it is in maintenance or draining, whichever is shown; while neither is, since when that is so,
    # or since when there is a new run of what was critical.
    overridden_since = models.DateTimeField(null=True, blank=True)
    override_reason = models.CharField(max_length=LONGEST_REASON, blank=True)
    registered_at = models.DateTimeField()
    registered_by = models.CharField(max_length=100)
    # The revision of the journal entry that last changed it.
    revision = models.BigIntegerField()

    class Meta:
        ordering = ["service", "name"]
        permissions = [
            (
                "operate_instance",
                "Can operate instances: probe, maintenance, drain, deregister, redeliver, rotate secrets",
            ),
            ("view_settings", "Can view the settings in force"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["service", "name"], name="instance_unique"),
            # Two names that differ only in case are one instance registered twice.
            models.UniqueConstraint("service", Lower("name"), name="instance_unique_in_any_case"),
        ]
        indexes = [
            # registration.register_many: how many has this token registered?
            models.Index(fields=["registered_by"], name="instance_registered_by"),
            # overrides.drained: whose time to drain is over?
            models.Index(fields=["draining_until"], name="instance_draining", condition=DRAINING),
            # deadlines.given_up: which have been critical, and for how long?
            models.Index(fields=["status", "status_since"], name="instance_status"),
        ]

    def __str__(self) -> str:
        return f"{self.service}/{self.name}"

    @property
    def is_offered(self) -> bool:
        """Whether it is offered to dependents."""
        return self.status in GOOD and not self.is_overridden

    @property
    def shown_status(self) -> str:
        return shown_status(self.status, self.is_in_maintenance, self.draining_until is not None)

    @property
    def is_overridden(self) -> bool:
        """Whether an operator's override is shown instead of the heartbeats' verdict."""
        return self.is_in_maintenance or self.draining_until is not None

    @property
    def shown_since(self) -> datetime:
        return (self.overridden_since if self.is_overridden else None) or self.status_since

    @property
    def shown_reason(self) -> str:
        return self.override_reason if self.is_overridden else self.status_reason


class Requirement(models.Model):
    """One service that an instance requires; beside Instance.requires so that dependents are found by an index."""

    instance = models.ForeignKey(Instance, on_delete=models.CASCADE, related_name="requirements")
    service = models.CharField(max_length=63)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["instance", "service"], name="requirement_unique")]
        # catalogue: who requires this service?
        indexes = [models.Index(fields=["service"], name="requirement_service")]

    def __str__(self) -> str:
        return self.service


class Maintenance(models.Model):
    """Maintenance of an instance, or without `instance` of a whole service: it is not offered.

    By name and not by key, so that it outlives the registration it is about.
    """

    service = models.CharField(max_length=63)
    instance = models.CharField(max_length=LONGEST_NAME, blank=True)
    reason = models.CharField(max_length=LONGEST_REASON, blank=True)
    author = models.CharField(max_length=100)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["service", "instance"]
        verbose_name_plural = "maintenance"
        constraints = [models.UniqueConstraint(fields=["service", "instance"], name="maintenance_unique")]

    def __str__(self) -> str:
        return f"maintenance of {self.service}/{self.instance or '*'}"


class Tombstone(models.Model):
    """A run of an instance that was deregistered: a late update of the same run does not bring it back.

    One that was given up may come back, unless another run has followed it: its tombstone is not final until then.
    """

    service = models.CharField(max_length=63)
    instance = models.CharField(max_length=LONGEST_NAME)
    incarnation = models.CharField(max_length=LONGEST_INCARNATION)
    is_final = models.BooleanField(default=True, db_default=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["service", "instance", "incarnation"], name="tombstone_unique"),
        ]
        # retention.prune: which are old?
        indexes = [models.Index(fields=["at"], name="tombstone_at")]

    def __str__(self) -> str:
        return f"{self.service}/{self.instance} {self.incarnation}"
