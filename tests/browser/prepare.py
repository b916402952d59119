"""Makes the database of a service ready in one process of its own: `python -m tests.browser.prepare webui`.

It prints as JSON what the tests need of it: sessions of its accounts, and a token of grading. To fill in the form for
signing in is one test's affair, not each one's.
"""

import functools
import json
import os
import sys
from io import StringIO
from typing import Any

from django.contrib.auth.hashers import PBKDF2PasswordHasher

PEOPLE = {
    "webui": ("teacher", "assistant", "student", "operator"),
    "grading": ("registrar",),
    "logsvc": ("operator",),
}

SALT: str = PBKDF2PasswordHasher().salt()


class OneSalt(PBKDF2PasswordHasher):
    """Accounts with the same password have the same hash, which is made once: half a second for each of the others.

    It takes as many rounds as Django's, which would otherwise hash anew at a sign-in, and so end the other sessions.
    """

    encode = functools.cache(PBKDF2PasswordHasher.encode)

    def salt(self) -> str:
        return SALT


def hash_one_password_once() -> None:
    from django.conf import settings

    settings.PASSWORD_HASHERS = [f"{OneSalt.__module__}.{OneSalt.__qualname__}"]


def session_of(person: Any) -> str:
    """The key of a new session of the person, as after signing in."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session.update({SESSION_KEY: str(person.pk), BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0]})
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def _prepare(service: str) -> dict[str, str]:
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command

    from config.management.commands.prepare import migrate
    from config.tokens import issuing

    hash_one_password_once()
    migrate()
    call_command("provision", stdout=StringIO())
    found = {name: session_of(User.objects.get(username=name)) for name in PEOPLE[service]}
    if service == "webui":
        # Whose sessions a test may end.
        found["visitor"] = session_of(User.objects.create_user("visitor"))
    if service == "logsvc":
        from tests.logsvc import factories

        factories.keep_each(["a grade was added", "the provider refused the connection, as it has for an hour " * 5])
    if service == "grading":
        found["token"] = issuing.create(name="tests", scopes=["read", "write"])
    return found


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = f"config.settings.{sys.argv[1]}"
    print(json.dumps(_prepare(sys.argv[1])))
