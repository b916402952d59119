"""One worker of a server registers, and the last one to go deregisters."""

from pathlib import Path

from registry.client.crew import Crew
from registry.client.locks import FileLock


def test_one_worker_leads(tmp_path: Path) -> None:
    first, second = Crew(tmp_path), Crew(tmp_path)
    assert first.leads()
    assert not second.leads()
    assert first.leads()


def test_another_leads_when_the_first_has_left(tmp_path: Path) -> None:
    first, second = Crew(tmp_path), Crew(tmp_path)
    first.leads()
    second.leads()
    assert not first.leave()
    assert second.leads()


def test_the_last_one_knows_that_it_is(tmp_path: Path) -> None:
    workers = [Crew(tmp_path) for _ in range(3)]
    for worker in workers:
        worker.leads()
    assert [worker.leave() for worker in workers] == [False, False, True]


def test_who_comes_after_the_last_one_leads(tmp_path: Path) -> None:
    first = Crew(tmp_path)
    first.leads()
    assert first.leave()
    first.close()
    assert Crew(tmp_path).leads()


def test_a_new_server_waits_for_the_last_worker_of_the_one_before(tmp_path: Path) -> None:
    first, second = Crew(tmp_path), Crew(tmp_path)
    first.leads()
    assert first.leave()
    assert not second.leads()
    assert second.run == ""
    first.close()
    assert second.leads()
    assert second.run != first.run


def test_a_forked_child_leaves_its_parent_the_lead(tmp_path: Path) -> None:
    parent = FileLock(tmp_path / "lock")
    parent.acquire()
    child = FileLock(tmp_path / "lock")
    assert not child.acquire()
    child.abandon()
    assert parent.is_held


def test_a_lock_taken_twice_is_held_once(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    assert lock.acquire()
    assert lock.acquire()
    lock.release()
    lock.release()
    assert FileLock(tmp_path / "lock").acquire()


def test_several_may_share_a_lock(tmp_path: Path) -> None:
    assert FileLock(tmp_path / "lock").acquire(shared=True)
    assert FileLock(tmp_path / "lock").acquire(shared=True)
