"""The output of `up`: one line for each step, a table, and news; plain text where it is piped."""

import shutil
import time
from collections.abc import Sequence
from typing import TextIO

from config import env

_BOLD, _DIM, _RED, _GREEN, _YELLOW, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[0m"
_CLEAR_LINE = "\r\x1b[K"


class Display:
    def __init__(self, stream: TextIO, *, is_terminal: bool, has_colours: bool, started_at: float) -> None:
        self._stream = stream
        self._is_terminal = is_terminal
        self._has_colours = has_colours
        self._started_at = started_at
        self._pending = ""

    def title(self, text: str) -> None:
        self._line(self._coloured(text, _BOLD))
        self._line()

    def done(self, text: str) -> None:
        """Show a finished step, with the time since the start."""
        elapsed = self._coloured(f"{time.monotonic() - self._started_at:5.1f} s", _DIM)
        self._line(f"  {self._coloured('✓', _GREEN)} {elapsed}  {text}")

    def news(self, text: str, *, is_bad: bool) -> None:
        mark = self._coloured("!", _RED) if is_bad else self._coloured("✓", _GREEN)
        self._line(f"  {mark} {self._coloured(time.strftime('%H:%M:%S'), _DIM)}  {text}")

    def waiting(self, text: str) -> None:
        """Show a line until the next one replaces it; nothing where there is no terminal."""
        if self._is_terminal and text != self._pending:
            self._pending = text
            # A line that wraps could not be cleared.
            shown = f"… {text}"[: shutil.get_terminal_size().columns - 3]
            self._write(f"{_CLEAR_LINE}  {self._coloured(shown, _DIM)}")

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show a table, whose last column is a coloured status."""
        widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
        self._line()
        titles = "   ".join(cell.ljust(width) for cell, width in zip(header, widths, strict=True))
        self._line(self._coloured(f"  {titles}".rstrip(), _DIM))
        for row in rows:
            *cells, status = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            colour = _GREEN if row[-1] == "passing" else _YELLOW
            self._line(("  " + "   ".join([*cells, self._coloured(status.rstrip(), colour)])).rstrip())
        self._line()

    def entry(self, label: str, *lines: str) -> None:
        """Show a label and its values, one below the other."""
        for at, line in enumerate(lines):
            self._line(f"  {self._coloured((label if at == 0 else '').ljust(22), _BOLD)}{line}".rstrip())

    def note(self, text: str) -> None:
        self._line(f"  {self._coloured(text, _DIM)}")

    def clear(self) -> None:
        """Clear the line that `waiting` has shown."""
        if self._pending:
            self._pending = ""
            self._write(_CLEAR_LINE)

    def _line(self, text: str = "") -> None:
        self.clear()
        self._write(f"{text}\n")

    def _write(self, text: str) -> None:
        encoding = self._stream.encoding or "utf-8"
        self._stream.write(text.encode(encoding, "replace").decode(encoding))
        self._stream.flush()

    def _coloured(self, text: str, colour: str) -> str:
        return f"{colour}{text}{_RESET}" if self._has_colours and text else text


def on(stream: TextIO) -> Display:
    """The display that suits the stream; NO_COLOR is honoured (https://no-color.org)."""
    is_terminal = stream.isatty()
    has_colours = is_terminal and not env.text("NO_COLOR", "") and env.text("TERM", "dumb") != "dumb"
    return Display(stream, is_terminal=is_terminal, has_colours=has_colours, started_at=time.monotonic())
