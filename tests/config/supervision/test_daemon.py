"""Supervisord's logging on a full disk, for which /dev/full stands."""

import sys
from contextlib import suppress
from pathlib import Path

import pytest
from supervisor import loggers

from config.supervision.daemon import LastingHandler, LastingStream


def record(text: str) -> loggers.LogRecord:
    return loggers.LogRecord(20, text)


def test_a_log_that_cannot_be_written_ends_nothing() -> None:
    handler = LastingHandler("/dev/full")
    handler.setFormat("%(message)s")
    for _ in range(3):
        handler.emit(record("lost"))
    with suppress(OSError):
        handler.stream.close()


def test_a_log_that_could_not_be_rotated_is_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = LastingHandler(str(tmp_path / "supervisord.log"), maxBytes=10, backupCount=1)
    handler.setFormat("%(message)s")
    with monkeypatch.context() as full:
        full.setattr(handler, "removeAndRename", _no_room)
        handler.emit(record("more than ten bytes"))
    assert handler.stream.closed
    handler.emit(record("again"))
    handler.stream.close()
    assert "again" in (tmp_path / "supervisord.log.1").read_text()


def test_standard_output_on_a_full_disk_ends_nothing() -> None:
    full = open("/dev/full", "w")  # noqa: SIM115 -- to close it fails, too
    stream = LastingStream(full)
    assert stream.write("text") == 4
    stream.flush()
    assert stream.fileno() == full.fileno()
    with suppress(OSError):
        full.close()


def test_the_rest_of_a_stream_is_its_own() -> None:
    assert LastingStream(sys.stdout).encoding == sys.stdout.encoding


def _no_room(*paths: object) -> None:
    raise OSError(28, "No space left on device")
