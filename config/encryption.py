"""Secrets at rest: encrypted in the database with a key that is not in it.

The keys are settings.ENCRYPTION_KEYS, each any secret text. The first encrypts; all of them decrypt, so that a new one
can be put in front of the old. docs/operations.md says how keys are rotated.
"""

import base64
import hashlib
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

# The prefix of encrypted text. Anything else was stored by a version that did not encrypt, and is read as it is.
MARK = "fernet:"


def encrypt(text: str) -> str:
    return MARK + _fernet(tuple(settings.ENCRYPTION_KEYS)).encrypt(text.encode()).decode()


def decrypt(stored: str) -> str:
    """Decrypt a stored value. Raises ImproperlyConfigured when none of the keys fits."""
    if not stored.startswith(MARK):
        return stored
    try:
        return _fernet(tuple(settings.ENCRYPTION_KEYS)).decrypt(stored.removeprefix(MARK)).decode()
    except InvalidToken as error:
        variable = f"{settings.SERVICE.variable_prefix}_ENCRYPTION_KEYS"
        raise ImproperlyConfigured(
            f"A secret in the database was encrypted with a key that is not given: add that key to {variable}."
        ) from error


class EncryptedTextField(models.TextField[str | None, str | None]):
    """Text that is encrypted in the database. Equal texts are stored differently, so it cannot be searched."""

    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else encrypt(str(value))

    def from_db_value(self, value: str | None, expression: Any, connection: BaseDatabaseWrapper) -> str | None:
        return None if value is None else decrypt(value)


@lru_cache(maxsize=8)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    """The keys are long and random, so one round of a hash suffices to derive Fernet's 32 bytes."""
    return MultiFernet([Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest())) for key in keys])
