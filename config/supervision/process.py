"""The supervisor's process, forked from `up` before settings are read: docs/decisions/0006-preload-and-fork.md.

It begins with what `up` has imported, and imports what the programs need while `up` looks for obstacles.
"""

import asyncio
import os
import signal
import socket
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from config import env
from config.supervision import forking

# What supervisord imports, besides what its programs do.
PRELOADED = (*forking.PRELOADED, "supervisor.rpcinterface", "supervisor.supervisord")
# supervisord that is told to read its configuration again closes all from 5 on.
LOCK = 3


class Process:
    """Made by `fork`, as a context: at its end a process that was never told to supervise is gone."""

    def __init__(self, pid: int, line: socket.socket) -> None:
        self._pid = pid
        # Its end tells the process to stop, as our own end would.
        self._line = line
        self._returncode: int | None = None
        self._supervises = False

    @classmethod
    def fork(cls) -> Self:
        # We may inherit from our parent that SIGCHLD is ignored; then the exit status of a child is lost.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        ours, its = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            try:
                ours.close()
                _wait(its)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(1)
        its.close()
        return cls(pid, ours)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._line.close()
        if not self._supervises:
            self.kill()

    @property
    def returncode(self) -> int | None:
        return self._reap(os.WNOHANG)

    def supervise(self, configuration: Path, *, log: int, lock: int) -> None:
        """Have it run the programs of the configuration; it inherits the two files."""
        self._supervises = True
        # If it has ended, the wait for its answer finds that out.
        with suppress(OSError):
            socket.send_fds(self._line, [os.fsencode(configuration)], [log, lock])

    async def stop(self) -> None:
        """Tell it to stop, and wait until it has."""
        self._line.setblocking(False)
        with suppress(OSError):
            self._line.shutdown(socket.SHUT_WR)
            # It says nothing: the line ends with it.
            await asyncio.get_running_loop().sock_recv(self._line, 1)
        self._reap()

    def kill(self) -> None:
        if self.returncode is None:
            os.kill(self._pid, signal.SIGKILL)
            self._reap()

    def _reap(self, options: int = 0) -> int | None:
        if self._returncode is None:
            pid, status = os.waitpid(self._pid, options)
            self._returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self._returncode


def _wait(line: socket.socket) -> NoReturn:
    """Prepare to supervise, and do so when told to."""
    # In a session of its own: Ctrl-C is for `up`, which then stops everything in order.
    os.setsid()
    for number in map(int, os.listdir("/dev/fd")):
        if number > 2 and number != line.fileno():
            # The listing's own is closed already.
            with suppress(OSError):
                os.close(number)
    # Where one of the first three is closed, what is opened next would take its place.
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    forking.preload(PRELOADED)
    configuration, files, _, _ = socket.recv_fds(line, 4096, 2)
    if not configuration:
        os._exit(0)
    [log, lock] = files
    os.dup2(line.fileno(), 0)
    line.close()
    for number in (1, 2):
        os.dup2(log, number)
    os.close(log)
    if lock != LOCK:
        os.dup2(lock, LOCK)
        os.close(lock)
    os.chdir(env.BASE_DIR)
    command = [sys.executable, "-m", "config.supervision.daemon", "--configuration", os.fsdecode(configuration)]
    forking.run(command, env.without_settings())
