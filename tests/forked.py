"""Programs of this checkout in processes that are forked rather than executed, as `up` forks its own.

A program then starts without importing Django and all else anew, which takes longer than most of them run. The server
that forks them is multiprocessing's. It has imported what the supervisor imports, which reads no settings:
docs/decisions/0006-preload-and-fork.md. The suite forks that server, too.
"""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing import forkserver, resource_tracker, util
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from tempfile import TemporaryFile
from threading import Lock
from types import ModuleType
from typing import IO, Any
from unittest.mock import patch

from config.supervision import forking

_forks = multiprocessing.get_context("forkserver")
_IMPORTED = ["tests.forked", "tests.preloading"]
_forks.set_forkserver_preload(_IMPORTED)
_starting = Lock()


class Program:
    """A program that runs, as subprocess.Popen would show it: `Program(["-m", "tests.x"], env=..., stdout=file)`."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        env: Mapping[str, str],
        stdout: IO[Any] | None = None,
        stderr: IO[Any] | None = None,
        own_session: bool = False,
    ) -> None:
        outputs = {1: stdout.fileno() if stdout else 1, 2: stderr.fileno() if stderr else 2}
        # A connection is what multiprocessing knows how to hand over.
        given = {number: Connection(os.dup(output), readable=False) for number, output in outputs.items()}
        self._command = [sys.executable, *arguments]
        self._process = _forks.Process(target=_run, args=(self._command, dict(env), given, own_session), daemon=True)
        _start(self._process)
        for each in given.values():
            each.close()
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Raises subprocess.TimeoutExpired when it still runs after so many seconds."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self._command, timeout or 0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self._process.kill()


def run(
    arguments: Sequence[str], *, env: Mapping[str, str], timeout: float = 120.0
) -> subprocess.CompletedProcess[str]:
    """Run it to its end; returns its status and its outputs, as subprocess.run does."""
    with TemporaryFile("w+") as stdout, TemporaryFile("w+") as stderr:
        status = Program(arguments, env=env, stdout=stdout, stderr=stderr).wait(timeout)
        for output in (stdout, stderr):
            output.seek(0)
        return subprocess.CompletedProcess(arguments, status, stdout.read(), stderr.read())


def fork_server() -> None:
    """Fork the server from this process, which has one thread and has imported what the server imports."""
    resource_tracker.ensure_running()
    with patch.object(util, "spawnv_passfds", _fork_server):
        forkserver.ensure_running()


def _fork_server(_path: str, _arguments: Sequence[str], files: Sequence[int]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            for number in map(int, os.listdir("/dev/fd")):
                if number > 2 and number not in files:
                    # The listing's own is closed already.
                    with suppress(OSError):
                        os.close(number)
            listener, alive = files
            forkserver.main(listener, alive, _IMPORTED)
        finally:
            os._exit(0)
    return pid


def _start(process: BaseProcess) -> None:
    """Start it without importing our `__main__`, such as a benchmark, as multiprocessing would have the child do."""
    with _starting:
        own = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            process.start()
        finally:
            sys.modules["__main__"] = own


def _run(
    command: Sequence[str], environment: Mapping[str, str], given: Mapping[int, Connection], own_session: bool
) -> None:
    if own_session:
        os.setsid()
    for number, connection in given.items():
        os.dup2(connection.fileno(), number)
        connection.close()
    # multiprocessing has closed this one, which the program would be given.
    sys.__stdin__ = sys.stdin  # type: ignore[misc, assignment]  # final, and a text file
    forking.run(command, environment)
