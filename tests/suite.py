"""The whole suite: each case once on the settings it is for, and what asks a database on PostgreSQL too.

`python -m tests.suite`. A service's tests run on that service's own settings, which leave out the others' apps; the
web UI's and all others on those of all four. On PostgreSQL run the cases that use a database, of the services whose
statements are written for both engines: the others would prove the same again.

Each part has one process of its own, which collects once. It is forked from this one, which has imported what all of
them need and reads no settings. The fault scenarios, which say by when all is right again and mostly wait, begin
first; beside them run three others, which give way to them, for two processors: those of real processes wait, too. The
browser's part, in which one step follows the other, is the longest, and so the others give way to it.
"""

import os
import re
import shutil
import sys
import time
import traceback
import warnings
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile, mkdtemp
from typing import IO

from config.services import SERVICES
from config.supervision import forking, process
from tests import forked, postgresql
from tests.machine import wants_browser, wants_clickhouse

# Their statements are written for both engines.
ON_POSTGRESQL = ("registry", "logsvc")
# Refused before any statement.
ON_SQLITE_ALONE = "tests/registry/management/test_bad_input.py"
# What asks the store, but what fuzzes the ways in: each example would wait for an insert.
ON_CLICKHOUSE = (
    *("tests/logsvc/storage/test_store.py", "tests/logsvc/test_retention.py", "tests/logsvc/api/test_logs.py"),
    *("tests/logsvc/api/test_tail.py", "tests/logsvc/loki", "tests/logsvc/alerts", "tests/logsvc/management"),
)
# Fuzzes what the API says of itself, which is the same whatever the database is; its plugin takes a second to import.
OPENAPI = "tests/{}/api/test_openapi.py"
WITHOUT_OPENAPI = ("-p", "no:schemathesis")
ONE_PROCESS = ("-p", "no:xdist")
# How many parts run at one time: the fault scenarios, and three others.
LANES = 4
# How far a part gives way to the others, as `nice` counts it.
NOT_AT_ALL, A_LITTLE, FAR = 0, 5, 10
# What pytest imports whatever the tests, Schemathesis, which two parts take, and `up`, which tests fork.
PRELOADED = (
    *("_pytest.doctest", "_pytest.junitxml", "_pytest.legacypath", "_pytest.pastebin", "_pytest.pytester"),
    *("_hypothesis_pytestplugin", "anyio.pytest_plugin", "pytest_django.plugin", "xdist.plugin", "xdist.looponfail"),
    *("hypothesis.internal.conjecture.engine", "hypothesis.stateful", "schemathesis.pytest.plugin"),
    "config.supervision.utility",
)
# Plugins that assert nothing of a test; they are imported before pytest could rewrite what they assert.
PLUGINS_AS_THEY_ARE = "ignore:Module already imported so cannot be rewritten:pytest.PytestAssertRewriteWarning"
# The web UI's tests have it ask the real grading, in one process, and so need both on one settings module.
OWN = tuple(name for name in SERVICES if name != "webui")
# Where pytest begins to tell of errors, failures or an interruption, and after them gives its short summary.
SECTION = re.compile(r"=+ (ERRORS|FAILURES|short test summary info) =+$|!+ .+ !+$|INTERNALERROR>")
LAST_LINES = 400


@dataclass(frozen=True, kw_only=True)
class Part:
    title: str
    arguments: tuple[str, ...]
    prefix: tuple[str, ...] = ()
    niceness: int = FAR

    def start(self, output: IO[bytes]) -> "Running":
        command = [sys.executable, *self.prefix, "-m", "pytest", "--quiet", "-W", PLUGINS_AS_THEY_ARE, *self.arguments]
        # What pytest has compiled of the tests is kept: to compile it again takes a part longer than to import it.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        pid = os.fork()
        if pid == 0:
            try:
                os.nice(self.niceness)
                sys.dont_write_bytecode = False
                for number in (1, 2):
                    os.dup2(output.fileno(), number)
                forked.fork_server()
                forking.run(command, environment)
            except BaseException:
                traceback.print_exc()
            finally:
                # A child that cannot begin must not go on as the suite.
                os._exit(1)
        return Running(self.title, pid, output)


@dataclass(frozen=True)
class Running:
    title: str
    pid: int
    output: IO[bytes]
    began: float = field(default_factory=time.monotonic)

    def end(self, status: int) -> "Outcome":
        self.output.seek(0)
        return Outcome(self.title, status, time.monotonic() - self.began, self.output.read().decode(errors="replace"))


@dataclass(frozen=True)
class Outcome:
    title: str
    status: int
    seconds: float
    output: str

    @property
    def sentence(self) -> str:
        return f"{'FAILED' if self.status else 'passed'}  {self.seconds:5.0f} s  {self.title}"

    @property
    def failures(self) -> str:
        """The errors and failures with pytest's short summary, or all of the output where it ended otherwise.

        Printed at the end once more, where a log that has been cut short still has it.
        """
        lines = self.output.splitlines()
        begins = next((number for number, line in enumerate(lines) if SECTION.match(line)), 0)
        return "\n".join(lines[begins:][-LAST_LINES:])


def parts() -> list[Part]:
    """The parts that run beside each other: the fault scenarios, and then the longest first."""
    on_postgresql = {
        name: Part(
            title=f"tests/{name} on PostgreSQL, what uses a database",
            arguments=(
                *("-p", "tests.on_postgresql", "--database-only"),
                *(f"--ignore={path}" for path in (OPENAPI.format(name), ON_SQLITE_ALONE)),
                *(*WITHOUT_OPENAPI, *_own(name)),
            ),
        )
        for name in ON_POSTGRESQL
    }
    on_clickhouse = Part(
        title="tests/logsvc on ClickHouse's engine, what asks the store",
        prefix=("-m", "tests.clickhouse"),
        arguments=("--database-only", *WITHOUT_OPENAPI, *_own("logsvc")[:-1], *ON_CLICKHOUSE),
    )
    return [
        _of_all("faults", niceness=NOT_AT_ALL),
        *([_of_all("browser", niceness=A_LITTLE)] if wants_browser() else []),
        _of_one("registry"),
        _of_all("clients", "config", "deploy"),
        _of_all("system"),
        on_postgresql["registry"],
        _of_all("webui"),
        _of_one("grading"),
        *([on_clickhouse] if wants_clickhouse() else []),
        _of_one("logsvc"),
        on_postgresql["logsvc"],
    ]


def _of_all(*names: str, niceness: int = FAR) -> Part:
    """Tests on the settings of all services."""
    paths = [f"tests/{name}" for name in names]
    return Part(
        title=f"{', '.join(paths)} on config.settings.test",
        arguments=(*WITHOUT_OPENAPI, *ONE_PROCESS, *paths),
        niceness=niceness,
    )


def _of_one(name: str) -> Part:
    """A service's tests on its own settings."""
    without = () if has_openapi(name) else WITHOUT_OPENAPI
    return Part(title=f"tests/{name} on config.settings.{name}", arguments=(*without, *_own(name)))


def has_openapi(name: str) -> bool:
    return Path(OPENAPI.format(name)).exists()


def _own(name: str) -> tuple[str, ...]:
    """The arguments for a service's tests on its own settings, in one process."""
    return (*ONE_PROCESS, "-p", "tests.own_settings", f"--ds=config.settings.{name}", f"tests/{name}")


def preload() -> None:
    """Import what the parts need; a warning is an error, as it is in them."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        forking.preload((*process.PRELOADED, *PRELOADED))


def run(waiting: list[Part]) -> list[Outcome]:
    """Run the parts in their order, and print the output of each at its end."""
    running, outcomes = dict[int, Running](), list[Outcome]()
    with ExitStack() as files:
        while waiting or running:
            while waiting and len(running) < LANES:
                # A lane that is free takes the next.
                started = waiting.pop(0).start(files.enter_context(TemporaryFile()))
                running[started.pid] = started
            pid, status = os.wait()
            outcome = running.pop(pid).end(os.waitstatus_to_exitcode(status))
            print(f"== {outcome.title}\n{outcome.output}\n{outcome.sentence}", flush=True)
            outcomes.append(outcome)
    return outcomes


def main() -> int:
    began = time.monotonic()
    preload()
    # Not a TemporaryDirectory, which each process that is forked from here would remove at its end.
    directory = mkdtemp(prefix="rollcall-postgresql-")
    try:
        os.environ[postgresql.SHARED] = directory
        outcomes = run(parts())
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    print("== summary")
    for outcome in outcomes:
        print(outcome.sentence)
    if not wants_browser():
        print("left out          tests/browser, as BROWSER=no asks")
    if not wants_clickhouse():
        print("left out          tests/logsvc on ClickHouse: its engine is 180 MB; CLICKHOUSE=yes brings and runs it")
    print(f"{time.monotonic() - began:.0f} s in all", flush=True)
    failed = [outcome for outcome in outcomes if outcome.status]
    for outcome in failed:
        print(f"== once more, what failed in {outcome.title}\n{outcome.failures}", flush=True)
    return int(bool(failed))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
