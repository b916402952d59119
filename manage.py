#!/usr/bin/env python
"""Run a management command of one service: `./manage.py [service] <command>`; the registry where none is named.

`./manage.py up` runs them all.
"""

import os
import sys

from config.services import SERVICES


def main() -> None:
    program, *arguments = sys.argv
    service = "registry"
    if arguments and arguments[0] in SERVICES:
        service = arguments.pop(0)
        program = f"{program} {service}"
    settings = "up" if sys.argv[1:2] == ["up"] else service
    os.environ["DJANGO_SETTINGS_MODULE"] = f"config.settings.{settings}"

    from django.core.exceptions import ImproperlyConfigured
    from django.db import DatabaseError

    from config import commands

    # sys.argv stays as it was, so that the autoreloader starts this same command again.
    try:
        commands.Utility([program, *arguments]).execute()
    except ImproperlyConfigured as error:
        commands.refuse(str(error))
    except DatabaseError as error:
        commands.refuse(commands.database_trouble(error))


if __name__ == "__main__":
    main()
