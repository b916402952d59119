"""One snapshot for the threads of a process, and through the state for the workers of a server."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from registry.client.cache import Cache
from registry.client.snapshot import Snapshot
from registry.client.state import State


def at(revision: int, *, epoch: int = 0) -> Snapshot:
    return Snapshot(epoch=epoch, revision=revision, told_revision=revision)


def test_a_step_is_taken_from_what_another_worker_has_learnt(tmp_path: Path) -> None:
    ours, theirs = Cache(state=State(tmp_path)), Cache(state=State(tmp_path))
    theirs.update(lambda known: at(7))
    assert ours.update(lambda known: replace(known, revision=known.revision + 1))
    assert ours.snapshot.revision == 8


def test_a_step_that_leads_nowhere_changes_nothing() -> None:
    cache = Cache()
    assert not cache.update(lambda known: None)
    assert cache.snapshot == Snapshot()


def test_refreshing_takes_over_what_another_worker_has_learnt(tmp_path: Path) -> None:
    ours, theirs = Cache(state=State(tmp_path)), Cache(state=State(tmp_path))
    theirs.update(lambda known: at(7))
    assert ours.snapshot.revision == -1
    ours.refresh()
    assert ours.snapshot.revision == 7


def test_what_is_older_on_disk_is_not_taken_over(tmp_path: Path) -> None:
    cache = Cache(state=State(tmp_path))
    cache.update(lambda known: at(7))
    State(tmp_path).write(at(3))
    cache.refresh()
    assert cache.snapshot.revision == 7


def test_a_new_epoch_is_newer_though_its_revision_is_lower(tmp_path: Path) -> None:
    ours, theirs = Cache(state=State(tmp_path)), Cache(state=State(tmp_path))
    ours.update(lambda known: at(7))
    theirs.update(lambda known: at(1, epoch=1))
    ours.refresh()
    assert ours.snapshot == at(1, epoch=1)


def test_the_last_known_good_is_there_at_start(tmp_path: Path) -> None:
    Cache(state=State(tmp_path)).update(lambda known: at(7))
    assert Cache(state=State(tmp_path)).snapshot == at(7)


def test_what_cannot_be_kept_on_disk_is_known_all_the_same(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = Cache(state=State(tmp_path))
    (tmp_path / "providers.json").mkdir()
    with caplog.at_level(logging.WARNING):
        assert cache.update(lambda known: at(7))
    assert cache.snapshot.revision == 7
    assert "only in memory" in caplog.text


def test_every_replacement_is_announced_and_only_those(tmp_path: Path) -> None:
    State(tmp_path).write(at(1))
    heard: list[int] = []
    cache = Cache(state=State(tmp_path), on_update=lambda snapshot: heard.append(snapshot.revision))
    cache.update(lambda known: known)
    cache.update(lambda known: at(2))
    State(tmp_path).write(at(3))
    cache.refresh()
    assert heard == [1, 2, 3]
