"""The spool: a queue that outlives its process."""

import contextlib
import json
import logging
import os
import signal
import tempfile
from collections import Counter
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from logsvc.client.claim import Claim
from logsvc.client.complaints import Complaints
from logsvc.client.segment import MappedWriter
from logsvc.client.spool import Spool

SHORT = 60


def make(directory: Path, *, max_bytes: int = 1_000_000, is_mapped: bool = True) -> Spool:
    return Spool(directory, max_bytes=max_bytes, complaints=Complaints(), is_mapped=is_mapped)


def of_short_segments(directory: Path) -> Spool:
    """Segments of a few lines, so that there are several of them."""
    return Spool(directory, max_bytes=10_000_000, complaints=Complaints(), segment_bytes=SHORT)


class Killed(Exception):
    """The process was killed here."""


def drain(spool: Spool, at_most_bytes: int = 1000) -> list[bytes]:
    lines: list[bytes] = []
    while batch := spool.batch(at_most_bytes):
        lines += batch.body.splitlines()
        spool.acknowledge(batch)
    return lines


def kept(directory: Path) -> bytes:
    """All lines on disk; the room that is reserved for more is zero."""
    return b"".join(path.read_bytes().rstrip(b"\0") for path in directory.rglob("*.ndjson"))


def room(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*.ndjson"))


def record(number: int, level: str) -> bytes:
    return json.dumps({"level": level, "number": number, "padding": "x" * 80}).encode() + b"\n"


def fill(spool: Spool, count: int) -> list[bytes]:
    lines = [b"line %06d" % number for number in range(count)]
    for line in lines:
        spool.append(line + b"\n", logging.INFO)
    return lines


def test_lines_come_out_as_they_went_in(tmp_path: Path) -> None:
    spool = make(tmp_path)

    assert fill(spool, 1000) == drain(spool)


def test_a_batch_comes_again_until_it_is_acknowledged(tmp_path: Path) -> None:
    spool = make(tmp_path)
    fill(spool, 3)

    first, second = spool.batch(24), spool.batch(24)

    assert first is not None
    assert second is not None
    assert first.body == second.body == b"line 000000\nline 000001\n"


def test_a_batch_has_whole_lines_and_at_least_one(tmp_path: Path) -> None:
    spool = make(tmp_path)
    fill(spool, 2)

    batch = spool.batch(5)

    assert batch is not None
    assert batch.body == b"line 000000\n"
    assert batch.lines == 1


def test_what_is_acknowledged_leaves_the_disk(tmp_path: Path) -> None:
    spool = make(tmp_path, max_bytes=40_000)
    fill(spool, 3000)
    drain(spool)

    assert kept(tmp_path) == b""


def test_the_oldest_lines_are_dropped_beyond_the_bound_and_counted(tmp_path: Path) -> None:
    spool = make(tmp_path, max_bytes=40_000)

    lines = fill(spool, 10_000)

    assert room(tmp_path) <= 40_000
    dropped = spool.take_dropped().total()
    assert drain(spool) == lines[dropped:]
    assert 0 < dropped < 10_000
    assert spool.take_dropped().total() == 0


def test_the_bound_holds_for_what_is_adopted_too(tmp_path: Path) -> None:
    dropped = 0
    for _ in range(4):
        dead = make(tmp_path, max_bytes=40_000)
        fill(dead, 3000)
        dropped += dead.take_dropped().total()
        dead.close()
    spool = make(tmp_path, max_bytes=40_000)

    spool.adopt()

    assert room(tmp_path) <= 40_000
    assert len(drain(spool)) + spool.take_dropped().total() + dropped == 4 * 3000


def test_acknowledging_what_was_dropped_meanwhile_does_no_harm(tmp_path: Path) -> None:
    spool = make(tmp_path, max_bytes=4_000)
    fill(spool, 100)
    batch = spool.batch(1000)
    assert batch is not None

    lines = fill(spool, 1000)
    spool.acknowledge(batch)

    dropped = spool.take_dropped().total() - 100
    assert drain(spool) == lines[dropped:]


@pytest.mark.parametrize(
    "torn", [b'{"message": "hal', b'{"mess\0\0\0\0"half"}\n', b'\0\0\0\0\0"half"}\n', b"\0\r\x01\n"]
)
def test_a_line_that_was_being_written_when_its_process_was_killed_harms_no_other(tmp_path: Path, torn: bytes) -> None:
    dead = make(tmp_path)
    lines = fill(dead, 3)
    (segment,) = tmp_path.rglob("*.ndjson")
    with segment.open("r+b") as file:
        file.seek(len(b"".join(lines)) + 3)
        file.write(torn)
    dead.disown()

    heir = make(tmp_path)
    heir.adopt()

    assert drain(heir) == lines
    assert list(tmp_path.rglob("*.ndjson")) == []


def test_a_full_disk_breaks_no_line_and_lines_keep_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 0.0
    spool = Spool(tmp_path, max_bytes=40_000, complaints=Complaints(), clock=lambda: now)

    def refuse(*args: object) -> None:
        raise OSError(28, "No space left on device")

    lines = fill(spool, 500)
    with monkeypatch.context() as patched:
        patched.setattr(os, "posix_fallocate", refuse)
        for number in range(500, 3000):
            lines.append(b"line %06d" % number)
            spool.append(lines[-1] + b"\n", logging.INFO)
        assert not list(tmp_path.rglob("*.ndjson"))[1:]
    now = 2.0
    spool.append(b"after\n", logging.INFO)

    assert spool.take_dropped().total() == 0
    assert kept(tmp_path).count(b"\n") == 3001
    assert drain(spool) == [*lines, b"after"]
    assert capsys.readouterr().err.count("cannot be written") == 1


def test_what_was_written_in_part_is_written_again_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = make(tmp_path, is_mapped=False)
    spool.append(b"before\n", logging.INFO)
    write = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda descriptor, line: write(descriptor, line[:3]))
        spool.append(b"while full\n", logging.INFO)
    spool.append(b"after\n", logging.INFO)

    assert drain(spool) == [b"before", b"while full", b"after"]


def test_where_files_cannot_be_mapped_they_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    spool = make(tmp_path, max_bytes=40_000)

    lines = fill(spool, 1500)

    assert b"".join(path.read_bytes() for path in sorted(tmp_path.rglob("*.ndjson"))).splitlines() == lines
    assert drain(spool) == lines


def test_the_lowest_levels_are_dropped_first(tmp_path: Path) -> None:
    spool = make(tmp_path, max_bytes=40_000)
    levels = ["ERROR", "DEBUG", "INFO", "DEBUG"]
    lines = [record(number, levels[number % 4]) for number in range(1000)]
    for number, line in enumerate(lines):
        spool.append(line, getattr(logging, levels[number % 4]))

    assert room(tmp_path) <= 40_000
    dropped = spool.take_dropped()
    waiting = [line + b"\n" for line in drain(spool)]
    assert dropped.total() + len(waiting) == 1000
    assert waiting == [line for line in lines if line in set(waiting)]
    assert dropped[logging.DEBUG] > 400
    assert dropped[logging.INFO] == 250 - sum(b'"INFO"' in line for line in waiting) > 100
    errors = [line for line in waiting if b'"ERROR"' in line]
    assert len(errors) == 250 - dropped[logging.ERROR] >= 200
    assert errors == lines[::4][-len(errors) :]


def test_an_heir_drops_the_lowest_levels_first_too(tmp_path: Path) -> None:
    dead = make(tmp_path)
    for number in range(300):
        dead.append(record(number, "ERROR" if number % 10 == 0 else "DEBUG"), logging.DEBUG)
    dead.close()
    heir = make(tmp_path, max_bytes=8_000)

    heir.adopt()

    assert heir.take_dropped() == {logging.DEBUG: 270}
    assert len(drain(heir)) == 30


def test_a_signals_handler_may_log_in_the_middle_of_an_append(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = make(tmp_path)
    spool.append(b"first\n", logging.INFO)
    write = MappedWriter.write

    def interrupted(writer: MappedWriter, size: int, line: bytes) -> None:
        if line == b"outer\n":
            signal.raise_signal(signal.SIGUSR1)
        write(writer, size, line)

    monkeypatch.setattr(MappedWriter, "write", interrupted)
    before = signal.signal(signal.SIGUSR1, lambda *_: spool.append(b"inner\n", logging.INFO))
    try:
        spool.append(b"outer\n", logging.INFO)
    finally:
        signal.signal(signal.SIGUSR1, before)

    assert drain(spool) == [b"first", b"outer", b"inner"]


def test_memory_too_drops_the_lowest_levels_first_and_counts(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    spool = make(tmp_path / "file")
    large = b"x" * 999_990

    for number in range(20):
        spool.append(b"%d %b\n" % (number, large), logging.ERROR if number % 4 == 0 else logging.DEBUG)

    numbers = [int(line.split()[0]) for line in drain(spool)]
    assert numbers == [0, 4, 8, 12, 16, 17, 18, 19]
    assert spool.take_dropped() == {logging.DEBUG: 12}


def test_a_file_that_cannot_be_read_now_is_not_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = make(tmp_path)
    lines = fill(spool, 3)

    def fail(path: Path, mode: str) -> None:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", fail)
        with pytest.raises(OSError, match="Too many open files"):
            spool.batch(100)

    assert drain(spool) == lines


def test_an_orphan_that_cannot_be_taken_over_hinders_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        dead = make(tmp_path)
        fill(dead, 1)
        dead.close()
    take = Claim.take
    refused = sorted(tmp_path.iterdir())[0]

    def take_unless_refused(folder: Path) -> Claim | None:
        if folder == refused:
            raise PermissionError(13, "Permission denied")
        return take(folder)

    monkeypatch.setattr(Claim, "take", take_unless_refused)
    spool = make(tmp_path)
    spool.adopt()

    assert drain(spool) == [b"line 000000"]
    assert refused.exists()


def test_a_folder_has_one_owner_at_a_time(tmp_path: Path) -> None:
    claim = Claim.make(tmp_path)
    (claim.folder / "something").touch()

    assert Claim.take(claim.folder) is None
    claim.release()
    heir = Claim.take(claim.folder)

    assert heir is not None
    heir.disown()


def test_a_folder_that_is_gone_or_a_file_has_no_owner(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert Claim.take(tmp_path / "gone") is None
    assert Claim.take(tmp_path / "file") is None


class SpoolMachine(RuleBasedStateMachine):
    """However processes come, go and are killed: no line is lost, and lines are first seen in their order."""

    def __init__(self) -> None:
        super().__init__()
        self._directory = tempfile.TemporaryDirectory(prefix="spool-")
        self.directory = Path(self._directory.name)
        self.spool = of_short_segments(self.directory)
        self.appended: list[bytes] = []
        self.sent: list[bytes] = []

    @rule(length=st.integers(0, 60))
    def append(self, length: int) -> None:
        line = b"%d %s" % (len(self.appended), b"x" * length)
        self.spool.append(line + b"\n", logging.INFO)
        self.appended.append(line)

    @rule(at_most_bytes=st.integers(1, 300), is_answered=st.booleans())
    def send(self, at_most_bytes: int, is_answered: bool) -> None:
        batch = self.spool.batch(at_most_bytes)
        if batch is not None:
            self.sent += batch.body.splitlines()
            if is_answered:
                self.spool.acknowledge(batch)

    @rule(torn=st.binary(max_size=5).map(lambda torn: b"\0" + torn.replace(b"\n", b"")), is_end_there=st.booleans())
    def be_killed(self, torn: bytes, is_end_there: bool) -> None:
        torn += b"\n" * is_end_there
        write = MappedWriter.write

        def write_in_part(writer: MappedWriter, size: int, line: bytes) -> None:
            write(writer, size, torn)
            raise Killed

        with mock.patch.object(MappedWriter, "write", write_in_part), contextlib.suppress(Killed):
            self.spool.append(b"x" * len(torn), logging.INFO)
        self.spool.disown()
        self._start()

    @rule()
    def end(self) -> None:
        self.spool.close()
        self._start()

    @rule()
    def look_for_orphans(self) -> None:
        self.spool.adopt()

    @invariant()
    def nothing_is_lost(self) -> None:
        waiting = [line for path in self.directory.rglob("*.ndjson") for line in path.read_bytes().split(b"\n")]
        assert set(self.appended) <= set(self.sent) | set(waiting)

    def teardown(self) -> None:
        with self._directory:
            with contextlib.suppress(OSError):
                self.sent += drain(self.spool)
            self.spool.close()
            first_seen = list(Counter(self.sent))
            assert first_seen == self.appended
            assert list(self.directory.iterdir()) == []

    def _start(self) -> None:
        self.spool = of_short_segments(self.directory)
        self.spool.adopt()


TestSpoolMachine = SpoolMachine.TestCase
TestSpoolMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
