"""Signing and verifying webhooks by Standard Webhooks (https://www.standardwebhooks.com)."""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from datetime import datetime

from .errors import SignatureError

TOLERANCE_SECONDS = 300
_SECRET_PREFIX = "whsec_"  # noqa: S105 -- how every secret begins, not one
_SECRET_BYTES = 32
_KEY_BYTES = range(24, 65)
_STAMP = re.compile(r"[0-9]{1,12}")


def new_secret() -> str:
    """A new secret to register with, known to the receiver and the registry alone."""
    return _SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def sign(*, secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of the header `webhook-signature`. Raises ValueError for a malformed `secret`."""
    signed = b".".join((message_id.encode(errors="replace"), str(timestamp).encode(), body))
    try:
        key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
    except ValueError:
        key = b""
    # Anybody can sign with no key, or guess a short one.
    if len(key) not in _KEY_BYTES:
        raise ValueError("The secret is not `whsec_` and 24 to 64 bytes in base64: make one with new_secret().")
    return f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"


def verify(headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> None:
    """Check a signature. Raises SignatureError unless `body` was signed with `secret` within five minutes of `now`.

    Raises ValueError for a malformed `secret`.
    """
    given = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, stamp, signatures = (given[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
    except KeyError as error:
        raise SignatureError(f"The header {error} is missing: this is not a webhook of the registry.") from error
    if not _STAMP.fullmatch(stamp) or abs(now.timestamp() - int(stamp)) > TOLERANCE_SECONDS:
        raise SignatureError(f"The timestamp is more than {TOLERANCE_SECONDS} s from this machine's clock.")
    expected = sign(secret=secret, message_id=message_id, timestamp=int(stamp), body=body).encode()
    # There are several signatures during a rotation.
    if not any(hmac.compare_digest(expected, signature.encode(errors="replace")) for signature in signatures.split()):
        raise SignatureError("No signature fits the body and this instance's secret.")
