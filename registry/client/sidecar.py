"""Running a program of any language as an instance: registered while it runs, gone when it ends."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from .membership import Membership

# As in shells: the exit code of a program that a signal ended is this plus the signal's number.
SIGNALLED = 128
_PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


def run(me: Membership, program: Sequence[str]) -> int:
    """Run the program; returns its exit code once it has ended and its instance is deregistered.

    Signals are passed on to the program; SIGTERM after the registry was told, so that no caller is sent to a program
    that is about to end. Call it in the main thread. Raises OSError when the program cannot be started.
    """
    process = subprocess.Popen(program)  # noqa: S603 -- running what the caller names is the point

    def pass_on(number: int, frame: FrameType | None) -> None:
        # At a terminal Ctrl-C reaches the program by itself, as it is in the same process group.
        if number != signal.SIGINT or not sys.stdin.isatty():
            process.send_signal(number)

    # Before the membership starts, whose handler of SIGTERM calls this one.
    previous = {number: signal.signal(number, pass_on) for number in _PASSED_ON}
    previous[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
    try:
        with _signals() as signals, me:
            # Not in waitpid, where a signal that came just before would not be handled until the child ends.
            while (code := process.poll()) is None:
                signals.recv(4096)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    return code if code >= 0 else SIGNALLED - code


@contextmanager
def _signals() -> Iterator[socket.socket]:
    """A socket that receives a byte at each signal."""
    reader, writer = socket.socketpair()
    with reader, writer:
        writer.setblocking(False)
        previous = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        try:
            yield reader
        finally:
            signal.set_wakeup_fd(previous)
