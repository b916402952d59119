"""Tokens on the wire, without their secret part."""

from datetime import datetime
from typing import Any

from config.tokens.models import Token


def token_body(token: Token) -> dict[str, Any]:
    return {
        "name": token.name,
        "prefix": token.prefix,
        "scopes": token.scopes,
        "limits": token.limits,
        "created_at": _timestamp(token.created_at),
        "expires_at": token.expires_at and _timestamp(token.expires_at),
        "last_used_at": token.last_used_at and _timestamp(token.last_used_at),
        "revoked_at": token.revoked_at and _timestamp(token.revoked_at),
    }


def _timestamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
