"""What the registry keeps: instances and their health, who is told up to where, and the journal of every change."""

from django.db import models


class Status(models.TextChoices):
    """What heartbeats say of an instance."""

    STARTING = "starting", "starting"
    PASSING = "passing", "passing"
    WARNING = "warning", "warning"
    CRITICAL = "critical", "critical"


# The statuses in which an instance serves.
GOOD = (Status.PASSING, Status.WARNING)


class HeartbeatKind(models.TextChoices):
    HTTP = "http", "HTTP"
    TCP = "tcp", "TCP"
    TTL = "ttl", "TTL"


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


def shown_status(status: str, is_in_maintenance: bool, is_draining: bool) -> str:
    """What people and clients see: an operator's word before the heartbeats'."""
    if is_in_maintenance:
        return "maintenance"
    return "draining" if is_draining else str(status)


DRAINING = models.Q(draining_until__isnull=False)


class Instance(models.Model):
    """A registration, as wide as it was declared; what changes at every probe is in Heartbeat."""

    service = models.CharField(max_length=63)
    name = models.CharField("instance", max_length=63)
    url = models.CharField("URL", max_length=500)
    requires = models.JSONField(default=list, blank=True)
    notify_url = models.CharField("notify URL", max_length=500, null=True, blank=True)
    notify_secret = models.CharField(max_length=120, null=True, blank=True)
    # For a while after a rotation webhooks are signed with both, so that none is refused on the way.
    previous_notify_secret = models.CharField(max_length=120, null=True, blank=True)
    previous_secret_until = models.DateTimeField(null=True, blank=True)
    tags = models.JSONField(default=list, blank=True)
    zone = models.CharField(max_length=100, blank=True)
    version = models.CharField(max_length=100, blank=True)
    weight = models.PositiveSmallIntegerField(default=100)
    metadata = models.JSONField(default=dict, blank=True)
    # One run of the process, as it names itself: what was deregistered stays so for this run.
    incarnation = models.CharField(max_length=64, blank=True)

    heartbeat_kind = models.CharField(max_length=4, choices=HeartbeatKind.choices, default=HeartbeatKind.TCP)
    heartbeat_url = models.CharField("heartbeat URL", max_length=500)
    interval_seconds = models.FloatField(default=10.0)
    timeout_seconds = models.FloatField(default=5.0)
    warn_after_seconds = models.FloatField(null=True, blank=True)
    failures_before_critical = models.PositiveSmallIntegerField(default=3)
    successes_before_passing = models.PositiveSmallIntegerField(default=1)
    deregister_after_seconds = models.FloatField(null=True, blank=True)

    status = models.CharField(max_length=8, choices=Status.choices, default=Status.STARTING)
    status_since = models.DateTimeField()
    status_reason = models.CharField(max_length=500, blank=True)
    # Its heartbeats fail, but the fault is probably ours (protection.py): it keeps its status and stays offered.
    is_suspect = models.BooleanField(default=False)
    # Whether one of its Overrides holds now; kept here so that reading what is offered asks one table.
    is_in_maintenance = models.BooleanField(default=False)
    draining_until = models.DateTimeField(null=True, blank=True)
    registered_at = models.DateTimeField()
    registered_by = models.CharField(max_length=100)
    # Of the journal entry that last changed what is shown of it.
    revision = models.BigIntegerField()

    class Meta:
        ordering = ["service", "name"]
        permissions = [("operate_instance", "Can operate instances: probe, maintenance, drain, deregister, tell again")]
        constraints = [models.UniqueConstraint(fields=["service", "name"], name="instance_unique")]
        indexes = [
            # overrides.expire: whose time to drain is over?
            models.Index(fields=["draining_until"], name="instance_draining", condition=DRAINING),
            # heartbeats.expire: who has been critical for how long?
            models.Index(fields=["status", "status_since"], name="instance_status"),
        ]

    def __str__(self) -> str:
        return f"{self.service}/{self.name}"

    @property
    def is_offered(self) -> bool:
        """Whether dependents are given it."""
        return self.status in GOOD and not self.is_in_maintenance and self.draining_until is None

    @property
    def shown_status(self) -> str:
        return shown_status(self.status, self.is_in_maintenance, self.draining_until is not None)


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
    """An operator's word that an instance, or with no instance named a whole service, is not to be offered.

    By name and not by key, so that it outlives the registration it is about.
    """

    service = models.CharField(max_length=63)
    instance = models.CharField(max_length=63, blank=True)
    reason = models.CharField(max_length=500, blank=True)
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
    """A run of an instance that was deregistered: a late update of the same run does not bring it back."""

    service = models.CharField(max_length=63)
    instance = models.CharField(max_length=63)
    incarnation = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["service", "instance", "incarnation"], name="tombstone_unique"),
        ]
        # retention: which are old?
        indexes = [models.Index(fields=["at"], name="tombstone_at")]

    def __str__(self) -> str:
        return f"{self.service}/{self.instance} {self.incarnation}"


class Heartbeat(models.Model):
    """What changes at every probe, in a row narrow enough to be rewritten thousands of times a second.

    Times are seconds since the epoch. A claim sets `lease_until`, which is also what proves the claim when the verdict
    is written: whoever comes later than its lease, or second, writes nothing.
    """

    instance = models.OneToOneField(Instance, on_delete=models.CASCADE, primary_key=True)
    due_at = models.FloatField()
    lease_until = models.FloatField(default=0.0)
    # verdict.Health between two probes; the instance's status is what comes of it.
    verdict = models.CharField(max_length=8, choices=Status.choices, default=Status.STARTING)
    penalty = models.FloatField(default=0.0)
    penalty_at = models.FloatField(default=0.0)
    is_damped = models.BooleanField(default=False)
    failures = models.PositiveIntegerField(default=0)
    successes = models.PositiveIntegerField(default=0)
    last_at = models.FloatField(null=True)
    # Of the last success.
    passed_at = models.FloatField(null=True)
    latency_ms = models.FloatField(null=True)
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        # claims.claim: what is due?
        indexes = [models.Index(fields=["due_at"], name="heartbeat_due")]

    def __str__(self) -> str:
        return f"heartbeat of {self.instance_id}"


class Rollup(models.Model):
    """What the probes of one instance found in one hour, or in one day of UTC: counts that are added to.

    By name and not by key, so that it outlives the registration. The day is kept beside its hours so that a quarter of
    a year is ninety rows; the key's order is that of uptime's reads.
    """

    pk = models.CompositePrimaryKey("span_hours", "service", "instance", "start_hour")
    service = models.CharField(max_length=63)
    instance = models.CharField(max_length=63)
    span_hours = models.PositiveSmallIntegerField()
    # Hours since the epoch.
    start_hour = models.PositiveIntegerField()
    probes = models.PositiveIntegerField()
    failures = models.PositiveIntegerField()
    warnings = models.PositiveIntegerField()
    # Of those that did not fail: how many were timed, and their milliseconds.
    timed = models.PositiveIntegerField()
    latency_total_ms = models.FloatField()
    latency_max_ms = models.FloatField()

    class Meta:
        # retention: which are old? Not by span too, for then SQLite would take it for what is asked of one service.
        indexes = [models.Index(fields=["start_hour"], name="rollup_start")]

    def __str__(self) -> str:
        return f"{self.span_hours} h of {self.service}/{self.instance} from {self.start_hour}"


class Protection(models.Model):
    """protection.State between two judgements, and when the roll was last called: one row. Times as in Heartbeat."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    since = models.FloatField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    spent = models.FloatField(default=0.0)
    spent_at = models.FloatField(default=0.0)
    stirred_at = models.FloatField(default=0.0)
    muted_until = models.FloatField(default=0.0)
    swept_at = models.FloatField(null=True)
    # The first sweep after a time without any.
    resumed_at = models.FloatField(null=True)

    class Meta:
        verbose_name_plural = "protection"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="protection_single")]

    def __str__(self) -> str:
        return self.reason if self.since is not None else "no protection"


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


class JournalEntry(models.Model):
    """One change. `before` and `after` are digests of what dependents were offered, empty where they were not."""

    revision = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    change = models.CharField(max_length=17, choices=Change.choices)
    service = models.CharField(max_length=63)
    instance = models.CharField(max_length=63)
    author = models.CharField(max_length=100)
    reason = models.CharField(max_length=500, blank=True)
    before = models.CharField(max_length=16, blank=True)
    after = models.CharField(max_length=16, blank=True)
    # The instance as a provider, after the change.
    provider = models.JSONField()

    class Meta:
        ordering = ["-revision"]
        verbose_name_plural = "journal"
        # journal.between: what happened to these services since?
        indexes = [models.Index(fields=["service", "revision"], name="journal_service")]

    def __str__(self) -> str:
        return f"{self.revision}: {self.service}/{self.instance} {self.change}"


class Head(models.Model):
    """The journal's revision: one row, locked from a change's append to its commit, so revisions appear in order."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    revision = models.BigIntegerField(default=0)
    # Random: tells this database's revisions from those of another, and from those that a copy has lost.
    history = models.CharField(max_length=8)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="head_single")]

    def __str__(self) -> str:
        return str(self.revision)


class Delivery(models.Model):
    """One attempt to tell a dependent."""

    at = models.DateTimeField()
    service = models.CharField(max_length=63)
    instance = models.CharField(max_length=63)
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
