"""What supervisord writes, on a disk that has no room: /dev/full is one."""

import sys
from pathlib import Path

import pytest
from supervisor import loggers

from config.supervision.daemon import LastingHandler, LastingStream


def record(text: str) -> loggers.LogRecord:
    return loggers.LogRecord(20, text)


def test_a_log_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    log = tmp_path / "supervisord.log"
    log.symlink_to("/dev/full")
    handler = LastingHandler(str(log))
    handler.setFormat("%(message)s")
    handler.emit(record("lost"))
    log.unlink()
    handler.reopen()
    handler.emit(record("kept"))
    handler.stream.close()
    assert log.read_text() == "kept"


def test_a_log_that_could_not_be_rotated_is_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = LastingHandler(str(tmp_path / "supervisord.log"), maxBytes=10, backupCount=1)
    handler.setFormat("%(message)s")
    with monkeypatch.context() as full:
        full.setattr(handler, "removeAndRename", _no_room)
        handler.emit(record("more than ten bytes"))
    assert handler.stream.closed
    handler.emit(record("again"))
    handler.stream.close()
    assert "again" in (tmp_path / "supervisord.log").read_text()


def test_standard_output_on_a_full_disk_ends_nothing() -> None:
    with open("/dev/full", "w") as full:
        stream = LastingStream(full)
        assert stream.write("text") == 4
        stream.flush()
        assert stream.fileno() == full.fileno()
        # What is left in the file's own buffer would fail once more at its end.
        full.detach()


def test_the_rest_of_a_stream_is_its_own() -> None:
    assert LastingStream(sys.stdout).encoding == sys.stdout.encoding


def _no_room(*paths: object) -> None:
    raise OSError(28, "No space left on device")
