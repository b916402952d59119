"""The accounts that each service makes for its own operators, with passwords that a first start made up."""

import hmac
from contextlib import suppress

from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher, get_hasher
from django.contrib.auth.models import User
from django.utils.crypto import salted_hmac

from config import env

# For a password of 72 random bits, which cannot be guessed however little a try costs. At its first sign-in Django
# hashes it again, as slowly as any other.
ROUNDS_FOR_RANDOM = 10_000


def ensure_password(user: User, password: str) -> bool:
    """Give the account the password, unless it has it; returns whether it was changed.

    One that has it keeps its hash, on which its sessions depend. To find that out takes a third of a second of a
    processor; for a random password of this data directory, a note beside it says so at once.
    """
    is_random = env.is_generated(password)
    note = settings.DATA_DIR / "run" / f"{settings.SERVICE.name}-{user.username}.password"
    noted = ""
    with suppress(OSError):
        noted = note.read_text()
    if is_random and hmac.compare_digest(noted, _fingerprint(user, password)):
        return False
    is_changed = not user.password or not user.check_password(password)
    if is_changed:
        hasher = get_hasher()
        if is_random and isinstance(hasher, PBKDF2PasswordHasher):
            user.password = hasher.encode(password, hasher.salt(), iterations=ROUNDS_FOR_RANDOM)
        else:
            user.set_password(password)
        user.save(update_fields=["password"])
    if is_random:
        note.parent.mkdir(exist_ok=True)
        note.write_text(_fingerprint(user, password))
    return is_changed


def _fingerprint(user: User, password: str) -> str:
    """A digest of the password and of its hash in the database, which changes with either."""
    return salted_hmac("config.accounts", f"{user.password} {password}", algorithm="sha256").hexdigest()
