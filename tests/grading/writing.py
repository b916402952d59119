"""Runs one of the writers: `python -m tests.grading.writing race`."""

import sys

import django
from django.conf import settings


def main() -> None:
    # Nothing is logged, and so nothing is sent to where the registry of this machine says.
    settings.LOGGING_CONFIG = None
    django.setup()
    from tests.grading import writers

    getattr(writers, sys.argv[1])()


if __name__ == "__main__":
    main()
