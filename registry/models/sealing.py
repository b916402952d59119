"""Webhook secrets: encrypted in the database, and in memory until they are needed to sign."""

from functools import lru_cache
from typing import Any

from config.encryption import MARK, EncryptedTextField, decrypt


class SealedField(EncryptedTextField):
    """A secret that may be stored as it was read: rows are read without decrypting what hardly any reader needs."""

    def get_prep_value(self, value: Any) -> Any:
        return value if isinstance(value, str) and value.startswith(MARK) else super().get_prep_value(value)


@lru_cache(maxsize=10_000)
def opened(secret: str) -> str:
    """A secret as plain text, whether it was decrypted before or not."""
    return decrypt(secret)
