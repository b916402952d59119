#!/usr/bin/env python3
"""Run a management command of one service: `./manage.py [service] <command>`; the registry where none is named.

`./manage.py up` runs them all.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from config.services import SERVICES


def main() -> None:
    if find_spec("django") is None:
        _change_environment()
    program, *arguments = sys.argv
    service = "registry"
    if arguments and arguments[0] in SERVICES:
        service = arguments.pop(0)
        program = f"{program} {service}"
    settings = "up" if sys.argv[1:2] == ["up"] else service
    os.environ["DJANGO_SETTINGS_MODULE"] = f"config.settings.{settings}"

    from django.core.exceptions import ImproperlyConfigured
    from django.db import DatabaseError

    from config import commands, privacy

    privacy.begin()
    utility: type[commands.Utility] = commands.Utility
    if settings == "up":
        from config.supervision.utility import ForkingUtility

        utility = ForkingUtility

    # sys.argv stays as it was, so that the autoreloader starts this same command again.
    try:
        utility([program, *arguments]).execute()
    except ImproperlyConfigured as error:
        commands.refuse(str(error))
    except DatabaseError as error:
        commands.refuse(commands.database_trouble(error))


def _change_environment() -> None:
    """Start again with the virtual environment that `make` has made here, if it is not active."""
    own = Path(__file__).resolve().parent / ".venv" / "bin" / "python"
    if own.exists() and sys.executable != str(own):
        os.execv(own, [str(own), *sys.argv])  # noqa: S606 -- no shell is wanted
    sys.stderr.write("Django is not installed for this Python: run `make up` once, or activate another environment.\n")
    sys.exit(2)


if __name__ == "__main__":
    main()
