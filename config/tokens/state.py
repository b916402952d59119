"""The state of a token: valid, expired or revoked."""

from datetime import datetime

from config.tokens.models import Token

VALID, EXPIRED, REVOKED = "valid", "expired", "revoked"


def of(token: Token, *, now: datetime) -> str:
    if token.revoked_at is not None:
        return REVOKED
    return EXPIRED if token.expires_at is not None and token.expires_at <= now else VALID
