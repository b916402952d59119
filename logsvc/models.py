"""The log service's models; records are in the store (logsvc/storage/)."""

from django.db import models
from django.db.models import Q

from config.encryption import EncryptedTextField
from logsvc import severity


class RetentionRule(models.Model):
    """A limit on how long records of some services and levels are kept, and how much room they take.

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
        permissions = [("view_records", "Can read every log record")]

    def __str__(self) -> str:
        return f"{self.service or 'every service'}, {self.level or 'every level'}"


class SavedSearch(models.Model):
    """A query with a name. `owner` is the name of the token that saved it, "" for one made in the admin."""

    name = models.CharField(max_length=100)
    owner = models.CharField(max_length=100, blank=True, editable=False)
    query = models.TextField(blank=True, help_text="In the query language; empty finds everything.")
    description = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "saved searches"
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="one_saved_search_of_a_name")]

    def __str__(self) -> str:
        return self.name


class Condition(models.TextChoices):
    MORE_THAN = "more-than", "more than"
    FEWER_THAN = "fewer-than", "fewer than"


class AlertState(models.TextChoices):
    OK = "ok", "OK"
    FIRING = "firing", "firing"


class AlertRule(models.Model):
    """Sends a signed webhook to `url` when the number of matching records in a window crosses a threshold.

    It counts nothing but what the token of its owner may read; all, where it was made in the admin.
    """

    name = models.CharField(max_length=100)
    owner = models.CharField(max_length=100, blank=True, editable=False)
    query = models.TextField(blank=True, help_text="In the query language, such as level>=error service:grading.")
    condition = models.CharField(max_length=10, choices=Condition.choices, default=Condition.MORE_THAN)
    threshold = models.PositiveIntegerField(default=0)
    window_seconds = models.PositiveIntegerField(default=300, help_text="From 10 seconds to a day.")
    quiet_seconds = models.PositiveIntegerField(
        default=3600, help_text="After telling that it fires, nothing more is told of it for so long."
    )
    url = models.CharField(max_length=500, help_text="Where the webhook goes.")
    secret = EncryptedTextField(help_text="whsec_ and 24 to 64 random bytes in base64; empty makes one.")
    is_enabled = models.BooleanField(default=True)

    state = models.CharField(max_length=6, choices=AlertState.choices, default=AlertState.OK, editable=False)
    since = models.DateTimeField(null=True, editable=False)
    count = models.PositiveBigIntegerField(null=True, editable=False)
    # Why it could not be counted, or is no longer.
    trouble = models.CharField(max_length=300, blank=True, editable=False)
    evaluated_at = models.DateTimeField(null=True, editable=False)
    # When it was last told that it fires; `is_told` until it is told that this is over.
    told_at = models.DateTimeField(null=True, editable=False)
    is_told = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="one_alert_rule_of_a_name"),
            models.CheckConstraint(
                condition=Q(window_seconds__gte=10, window_seconds__lte=86_400),
                name="alert_window_within_a_day",
                violation_error_message="The window is from 10 seconds to a day.",
            ),
            models.CheckConstraint(
                condition=Q(quiet_seconds__lte=30 * 86_400),
                name="alert_quiet_within_a_month",
                violation_error_message="The quiet time is at most 30 days.",
            ),
            models.CheckConstraint(condition=Q(condition__in=Condition.values), name="alert_condition_known"),
            models.CheckConstraint(condition=Q(state__in=AlertState.values), name="alert_state_known"),
        ]

    def __str__(self) -> str:
        return self.name


class AlertMessage(models.Model):
    """A webhook to send, or sent. Its body is stored, so that every attempt sends the same bytes."""

    rule = models.ForeignKey(AlertRule, on_delete=models.CASCADE, related_name="messages")
    webhook_id = models.CharField(max_length=40, unique=True)
    kind = models.CharField(max_length=40)
    body = models.TextField()
    created_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    # When it is tried next; None when it was delivered or given up.
    due_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            # messages.send_due, the oldest first.
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="alert_message_due"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.webhook_id}"
