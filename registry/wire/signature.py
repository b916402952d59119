"""Signs webhooks by Standard Webhooks (https://www.standardwebhooks.com)."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable

# The prefix of a secret in Standard Webhooks.
SECRET_PREFIX = "whsec_"  # noqa: S105 -- a prefix


def signatures(*, secrets: Iterable[str], message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header: for each secret `v1,` and the HMAC-SHA256 of `id.timestamp.body` in base64."""
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    digests = (hmac.digest(key_of(secret), signed, hashlib.sha256) for secret in secrets)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def key_of(secret: str) -> bytes:
    """The key inside `whsec_…`; empty when the secret is malformed."""
    if not secret.startswith(SECRET_PREFIX):
        return b""
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return b""
