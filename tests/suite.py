"""The whole suite: each case once on the settings it is for, and what asks a database on PostgreSQL too.

`python -m tests.suite`. A service's tests run on that service's own settings, which leave out the others' apps; the
web UI's and all others on those of all four. On PostgreSQL run the cases that use a database, of the services whose
statements are written for both engines: the others would prove the same again.
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field

from config.services import SERVICES
from tests.machine import wants_browser

# Their statements are written for both engines.
ON_POSTGRESQL = ("registry", "logsvc")
# The web UI's tests have it ask the real grading, in one process, and so need both on one settings module.
OWN = tuple(name for name in SERVICES if name != "webui")
SHARED = ("webui", "clients", "config", "deploy", "system", "browser")


@dataclass(frozen=True, kw_only=True)
class Part:
    title: str
    arguments: tuple[str, ...]
    prefix: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)

    def run(self) -> int:
        command = [sys.executable, *self.prefix, "-m", "pytest", "--quiet", "-n", "auto", *self.arguments]
        return subprocess.run(command, env={**os.environ, **self.environment}, check=False).returncode


def parts() -> list[Part]:
    shared = [f"tests/{name}" for name in SHARED if name != "browser" or wants_browser()]
    own = [
        Part(
            title=f"tests/{name} on config.settings.{name}",
            arguments=_own(name),
        )
        for name in OWN
    ]
    return [
        *own,
        Part(
            title=f"{', '.join(shared)} on config.settings.test",
            # What starts real processes shares them within a file.
            arguments=("--dist", "loadfile", *shared),
        ),
        *(
            Part(
                title=f"tests/{name} on PostgreSQL, what uses a database",
                prefix=("-m", "tests.postgresql"),
                arguments=("--database-only", *_own(name)),
            )
            for name in ON_POSTGRESQL
        ),
    ]


def _own(name: str) -> tuple[str, ...]:
    """The arguments for a service's tests on its own settings."""
    # In the order of collection: pytest-django has the tests that empty the database come last.
    return ("--dist", "load", "-p", "tests.own_settings", f"--ds=config.settings.{name}", f"tests/{name}")


def main() -> int:
    outcomes = []
    began = time.monotonic()
    for part in parts():
        print(f"== {part.title}", flush=True)
        part_began = time.monotonic()
        status = part.run()
        outcomes.append((part.title, status, time.monotonic() - part_began))
    print("== summary")
    for title, status, seconds in outcomes:
        print(f"{'passed' if not status else 'FAILED'}  {seconds:5.0f} s  {title}")
    if not wants_browser():
        print("left out          tests/browser, as BROWSER=no asks")
    print(f"{time.monotonic() - began:.0f} s in all")
    return int(any(status for _, status, _ in outcomes))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
