"""Runs one of the writers: `python -m tests.grading.writing race`."""

import sys

import django


def main() -> None:
    django.setup()
    from tests.grading import writers

    getattr(writers, sys.argv[1])()


if __name__ == "__main__":
    main()
