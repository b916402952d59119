"""Tokens as stored: hashed, with a prefix, a name and scopes; and the audit log."""

from django.db import models
from django.db.models import Q


class Token(models.Model):
    name = models.CharField(max_length=100, unique=True)
    # The token's first characters: enough to recognise it in a log or a list, not to use it.
    prefix = models.CharField(max_length=12)
    # SHA-256 in hex; a token holds 256 random bits, so that a slow hash would protect nothing more.
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    # Its own limits by name, which override settings.TOKEN_LIMITS; 0 is no limit.
    limits = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    # Up to a minute behind: it is written by the gate, and not at every request.
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        permissions = [("revoke_token", "Can revoke a token")]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class AuditKind(models.TextChoices):
    CREATED = "created"
    CHANGED = "changed"
    REVOKED = "revoked"
    REFUSED = "refused"


class AuditEntry(models.Model):
    """A change of a token, or a refusal; equal refusals of a few seconds are one entry with a count."""

    at = models.DateTimeField()
    kind = models.CharField(max_length=10, choices=AuditKind.choices)
    # The name of the token or the account, or the beginning of an unknown token.
    who = models.CharField(max_length=150)
    # The person or the command that made a change; empty for a refusal.
    author = models.CharField(max_length=150, blank=True)
    # The problem's code, or what was changed.
    what = models.CharField(max_length=300)
    address = models.CharField(max_length=45, blank=True)
    times = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-id"]
        verbose_name = "audit entry"
        verbose_name_plural = "audit log"
        indexes = [
            # audit.record_change: which are the oldest of a kind?
            models.Index(fields=["kind", "id"], name="tokens_audit_kind"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=AuditKind.values), name="tokens_audit_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.who}: {self.what}"
