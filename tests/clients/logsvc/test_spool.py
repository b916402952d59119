"""The spool: a queue that outlives its process."""

import contextlib
import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from logsvc.client.claim import Claim
from logsvc.client.complaints import Complaints
from logsvc.client.spool import Spool


def make(directory: Path, *, max_bytes: int = 1_000_000) -> Spool:
    return Spool(directory, max_bytes=max_bytes, complaints=Complaints())


def drain(spool: Spool, at_most_bytes: int = 1000) -> list[bytes]:
    lines: list[bytes] = []
    while batch := spool.batch(at_most_bytes):
        lines += batch.body.splitlines()
        spool.acknowledge(batch)
    return lines


def fill(spool: Spool, count: int) -> list[bytes]:
    lines = [b"line %06d" % number for number in range(count)]
    for line in lines:
        spool.append(line + b"\n")
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

    assert sum(path.stat().st_size for path in tmp_path.rglob("*.ndjson")) == 0


def test_the_oldest_lines_are_dropped_beyond_the_bound_and_counted(tmp_path: Path) -> None:
    spool = make(tmp_path, max_bytes=40_000)

    lines = fill(spool, 10_000)

    assert sum(path.stat().st_size for path in tmp_path.rglob("*.ndjson")) <= 40_000 + 12
    dropped = spool.take_dropped()
    assert drain(spool) == lines[dropped:]
    assert 0 < dropped < 10_000
    assert spool.take_dropped() == 0


def test_the_bound_holds_for_what_is_adopted_too(tmp_path: Path) -> None:
    dropped = 0
    for _ in range(4):
        dead = make(tmp_path, max_bytes=40_000)
        fill(dead, 3000)
        dropped += dead.take_dropped()
        dead.close()
    spool = make(tmp_path, max_bytes=40_000)

    spool.adopt()

    assert sum(path.stat().st_size for path in tmp_path.rglob("*.ndjson")) <= 40_000
    assert len(drain(spool)) + spool.take_dropped() + dropped == 4 * 3000


def test_acknowledging_what_was_dropped_meanwhile_does_no_harm(tmp_path: Path) -> None:
    spool = make(tmp_path, max_bytes=4_000)
    fill(spool, 100)
    batch = spool.batch(1000)
    assert batch is not None

    lines = fill(spool, 1000)
    spool.acknowledge(batch)

    dropped = spool.take_dropped() - 100
    assert drain(spool) == lines[dropped:]


def test_a_line_that_was_being_written_when_its_process_was_killed_harms_no_other(tmp_path: Path) -> None:
    dead = make(tmp_path)
    lines = fill(dead, 3)
    (segment,) = tmp_path.rglob("*.ndjson")
    with segment.open("ab") as file:
        file.write(b'{"message": "hal')
    dead.disown()

    heir = make(tmp_path)
    heir.adopt()

    assert drain(heir) == lines
    assert list(tmp_path.rglob("*.ndjson")) == []


def test_a_full_disk_breaks_no_line_that_comes_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = make(tmp_path)
    spool.append(b"before\n")
    write = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda descriptor, line: write(descriptor, line[:3]))
        spool.append(b"while full\n")
    spool.append(b"after\n")

    assert drain(spool) == [b"before", b"after", b"while full"]


def test_memory_too_drops_its_oldest_and_counts(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    spool = make(tmp_path / "file")
    large = b"x" * 999_999 + b"\n"

    for _ in range(20):
        spool.append(large)

    assert len(drain(spool)) + spool.take_dropped() == 20


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
        self.directory = Path(tempfile.mkdtemp(prefix="spool-"))
        # Segments of a few lines, so that there are several of them.
        self.spool = make(self.directory, max_bytes=10_000_000)
        self.spool._segment_bytes = 60
        self.appended: list[bytes] = []
        self.sent: list[bytes] = []

    @rule(length=st.integers(0, 60))
    def append(self, length: int) -> None:
        line = b"%d %s" % (len(self.appended), b"x" * length)
        self.spool.append(line + b"\n")
        self.appended.append(line)

    @rule(at_most_bytes=st.integers(1, 300), is_answered=st.booleans())
    def send(self, at_most_bytes: int, is_answered: bool) -> None:
        batch = self.spool.batch(at_most_bytes)
        if batch is not None:
            self.sent += batch.body.splitlines()
            if is_answered:
                self.spool.acknowledge(batch)

    @rule(torn=st.binary(max_size=5).map(lambda torn: torn.replace(b"\n", b"")))
    def be_killed(self, torn: bytes) -> None:
        if self.spool._descriptor is not None:
            os.write(self.spool._descriptor, torn)
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
        waiting = [line for path in self.directory.rglob("*.ndjson") for line in path.read_bytes().splitlines()]
        assert set(self.appended) <= set(self.sent) | set(waiting)

    def teardown(self) -> None:
        with contextlib.suppress(OSError):
            self.sent += drain(self.spool)
        self.spool.close()
        first_seen = list(Counter(self.sent))
        assert first_seen == self.appended
        assert list(self.directory.iterdir()) == []
        shutil.rmtree(self.directory)

    def _start(self) -> None:
        self.spool = make(self.directory, max_bytes=10_000_000)
        self.spool._segment_bytes = 60
        self.spool.adopt()


TestSpoolMachine = SpoolMachine.TestCase
TestSpoolMachine.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
