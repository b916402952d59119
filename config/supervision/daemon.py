"""supervisord, as long as the process that started it lives: run by config/supervision/process.py.

That process holds the other end of our stdin: however it ends, even by `kill -9`, this end is told so.
"""

import io
import os
import signal
import sys
import threading
from typing import Any, TextIO

from supervisor import loggers, options, supervisord

from config.supervision import forking


class LastingHandler(loggers.RotatingFileHandler):  # type: ignore[misc]  # supervisor carries no types
    """Writes again once a full disk has room. Supervisor's own handler ends supervisord and orphans the programs."""

    stream: Any

    def emit(self, record: Any) -> None:
        try:
            if self.stream.closed:
                # Closed to be rotated, which then failed.
                self.stream = open(self.baseFilename, "ab")  # noqa: SIM115 -- it stays open
            super().emit(record)
        except OSError:
            # There is nowhere to log it; `up` reports that the disk is full.
            return

    def handleError(self) -> None:  # noqa: N802 -- supervisor's name
        return


class ForkingOptions(options.ServerOptions):  # type: ignore[misc]  # supervisor carries no types
    """Runs a program in the child that was forked to execute it, where the program is our own."""

    def execve(self, filename: str, argv: list[str], env: dict[str, str]) -> None:
        if forking.is_own(argv):
            forking.run(argv, env)
        super().execve(filename, argv, env)


class LastingStream:
    """Standard output and error, which are a file on the same disk."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError:
            return

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def main() -> None:
    loggers.RotatingFileHandler = LastingHandler
    supervisord.ServerOptions = ForkingOptions
    sys.stdout = LastingStream(_unbuffered(1))
    sys.stderr = LastingStream(_unbuffered(2))
    # Until supervisord has a handler of its own; it runs no program before. It would catch an exception while it logs.
    signal.signal(signal.SIGTERM, lambda number, frame: os._exit(0))
    threading.Thread(target=_stop_with_starter, daemon=True).start()
    supervisord.main(sys.argv[1:])


def _unbuffered(number: int) -> TextIO:
    """A program that is forked from here inherits nothing that is yet to be written."""
    return io.TextIOWrapper(open(number, "wb", buffering=0, closefd=False), write_through=True)


def _stop_with_starter() -> None:
    # Not through a buffered file: its lock, held by a waiting thread, crashes an interpreter that ends.
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
