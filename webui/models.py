"""The web UI's tables besides accounts and sessions: saved searches, alerts, and the public status page."""

from collections.abc import Sequence

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from config.encryption import EncryptedTextField


class SavedSearch(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="searches")
    name = models.CharField(max_length=60)
    # The query of the log page's address, after its `?`.
    address = models.CharField(max_length=2500)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "saved searches"
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="one_search_of_a_name")]

    def __str__(self) -> str:
        return self.name


class Severity(models.TextChoices):
    WARNING = "warning"
    CRITICAL = "critical"


class Incident(models.Model):
    """One cause, from the time it was noticed until it was over, and what it affected."""

    service = models.CharField(max_length=255)
    # The other services of the same cause, or of the same flood of causes.
    also = models.JSONField(default=list)
    state = models.CharField(max_length=20)
    severity = models.CharField(max_length=10, choices=Severity)
    reason = models.TextField(blank=True)
    affected = models.JSONField(default=list)
    began_at = models.DateTimeField()
    # Null while the incident is only suspected, because it has not lasted long enough.
    confirmed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-began_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["service"], condition=Q(ended_at=None), name="one_open_incident_a_service"),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("began_at")), name="incident_ends_after_it_began"
            ),
        ]
        # The public page and its feed: what was confirmed, newest first.
        indexes = [models.Index(fields=["-began_at"], name="incident_newest")]

    def __str__(self) -> str:
        return f"{self.service} {self.state}"

    @property
    def services(self) -> list[str]:
        return [self.service, *self.also]

    @services.setter
    def services(self, names: Sequence[str]) -> None:
        self.service, *self.also = names


class Channel(models.Model):
    """Somebody to tell, by one of Apprise's addresses, and of what."""

    name = models.CharField(max_length=60, unique=True)
    # It holds passwords and tokens.
    url = EncryptedTextField()
    # Names, or beginnings of names that end in `*`; none: every service.
    services = models.JSONField(default=list, blank=True)
    severity = models.CharField(max_length=10, choices=Severity, default=Severity.CRITICAL)
    # In this zone nothing is sent between these hours, which may span midnight.
    zone = models.CharField(max_length=60, default="UTC")
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    # The interval of reminders of what still lasts; none: no reminders.
    remind_minutes = models.PositiveIntegerField(null=True, blank=True)
    is_enabled = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Kind(models.TextChoices):
    BEGAN = "began"
    REMINDER = "reminder"
    ENDED = "ended"


class Message(models.Model):
    """One message to one channel about one incident: stored before it is sent, so that it is sent once."""

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="messages")
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="messages")
    kind = models.CharField(max_length=10, choices=Kind)
    number = models.PositiveIntegerField(default=0)
    title = models.TextField()
    body = models.TextField()
    written_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    try_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-written_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "incident", "kind", "number"], name="one_message_of_a_kind_and_number"
            )
        ]
        # The sender: what is due.
        indexes = [models.Index(fields=["try_at"], condition=~Q(try_at=None), name="message_due")]

    def __str__(self) -> str:
        return self.title


class PublicPage(models.Model):
    """The page that anybody may see without signing in; one row, made by the first operator who looks."""

    is_enabled = models.BooleanField(default=False)
    title = models.CharField(max_length=100, default="Status")
    services = models.JSONField(default=list, blank=True)

    def __str__(self) -> str:
        return self.title
