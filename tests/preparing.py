"""Prepares a service and makes a token, in one process: `python -m tests.preparing logsvc log:read log:write`."""

import io
import os
import sys
from collections.abc import Mapping

from tests import forked


def prepare(service: str, *scopes: str, environment: Mapping[str, str]) -> str:
    """Make what a service needs in its data directory, where it is not there yet; returns a new token."""
    done = forked.run(["-m", "tests.preparing", service, *scopes], env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def main() -> None:
    service, *scopes = sys.argv[1:]
    os.environ["DJANGO_SETTINGS_MODULE"] = f"config.settings.{service}"
    import django
    from django.core.management import call_command

    from config import privacy

    privacy.begin()
    django.setup()
    from config.tokens import issuing

    call_command("prepare", stdout=io.StringIO())
    print(issuing.create(name="tester", scopes=scopes))


if __name__ == "__main__":
    main()
