"""Tokens as they are kept: hashed, prefixed, named, scoped."""

from django.db import models


class Token(models.Model):
    name = models.CharField(max_length=100, unique=True)
    # The token's first characters: enough to recognise it in a log or a list, not to use it.
    prefix = models.CharField(max_length=12)
    # SHA-256 in hex; a token holds 256 random bits, so that a slow hash would protect nothing more.
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
