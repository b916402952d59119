#!/usr/bin/env python
"""Run a management command of one service: `./manage.py [service] <command>`; the registry where none is named.

`./manage.py up` runs them all.
"""

import os
import sys

from config.services import SERVICES


def main() -> None:
    arguments = sys.argv[1:]
    service = arguments.pop(0) if arguments and arguments[0] in SERVICES else "registry"
    settings = "up" if sys.argv[1:2] == ["up"] else service
    os.environ["DJANGO_SETTINGS_MODULE"] = f"config.settings.{settings}"

    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    # sys.argv stays as it was, so that the autoreloader starts this same command again.
    try:
        execute_from_command_line([sys.argv[0], *arguments])
    except ImproperlyConfigured as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
