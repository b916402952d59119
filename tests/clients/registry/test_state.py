"""The files on disk are whole or ignored, and nobody else may read the secret."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from registry.client import Provider
from registry.client.snapshot import Snapshot
from registry.client.state import State

SNAPSHOT = Snapshot(
    epoch=1,
    revision=7,
    told_revision=5,
    providers={"grading": (Provider(service="grading", instance="g-1", url="http://g.test", tags=("blue",)),)},
)


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    State(tmp_path).write(SNAPSHOT)
    assert State(tmp_path).read() == SNAPSHOT


def test_nothing_is_known_at_first(tmp_path: Path) -> None:
    state = State(tmp_path / "made" / "on the way")
    assert state.read() is None
    assert state.signature() is None


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b'{"revision": "7"}', b"[" * 100_000])
def test_a_damaged_file_is_left_aside_and_said_to_be(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "providers.json").write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert State(tmp_path).read() is None
    assert "are ignored" in caplog.text


def test_the_signature_differs_after_every_write(tmp_path: Path) -> None:
    state = State(tmp_path)
    seen = {state.signature()}
    for revision in range(5):
        state.write(replace(SNAPSHOT, revision=revision))
        seen.add(state.signature())
    assert len(seen) == 6


def test_the_time_of_a_write_is_later_than_that_of_the_one_before_also_where_the_clock_stands_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A system may give the writes of some milliseconds one time, and a file the number of the one before the last."""
    now_ns = 1_795_435_200 * 10**9
    monkeypatch.setattr("time.time_ns", lambda: now_ns)
    state, times = State(tmp_path), list[int]()
    for _ in range(5):
        state.write(SNAPSHOT)
        times.append((tmp_path / "providers.json").stat().st_mtime_ns)

    assert times == [now_ns + number for number in range(5)]


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    state = State(tmp_path)
    (tmp_path / "providers.json").mkdir()
    with pytest.raises(OSError, match="providers"):
        state.write(SNAPSHOT)
    assert [path.name for path in tmp_path.iterdir()] == ["providers.json"]


def test_the_secret_is_made_once_and_is_for_its_owner_only(tmp_path: Path) -> None:
    secret = State(tmp_path).secret()
    assert secret.startswith("whsec_")
    assert State(tmp_path).secret() == secret
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_the_directory_is_for_its_owner_only(tmp_path: Path) -> None:
    assert State(tmp_path / "state").directory.stat().st_mode & 0o777 == 0o700


def test_the_worker_that_comes_second_takes_the_first_one_s_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made_meanwhile() -> str:
        (tmp_path / "secret").write_text("whsec_first")
        return "whsec_second"

    monkeypatch.setattr("registry.client.state.new_secret", made_meanwhile)
    assert State(tmp_path).secret() == "whsec_first"


def test_a_worker_that_was_stopped_holds_up_nobody_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("registry.client.state.LOCK_SECONDS", 0.01)
    with State(tmp_path).locked(), State(tmp_path).locked():
        assert "locked by a stopped process" in caplog.text
    with caplog.at_level("WARNING"), State(tmp_path).locked():
        assert len(caplog.records) == 1
