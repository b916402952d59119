import logging
from pathlib import Path
from typing import Any

import pytest
import redis

from registry import wakeups

NOTIFICATIONS = "registry.tasks.sweep_notifications"


class FakeRedis:
    def __init__(self) -> None:
        self.flags: dict[str, bytes] = {}
        self.published: list[tuple[str, int]] = []
        self.calls = 0
        self.is_away = False

    def set(self, name: str, value: float, *, nx: bool, ex: int = 0) -> bool:
        self._answer()
        is_new = name not in self.flags
        self.flags.setdefault(name, str(value).encode())
        return is_new

    def delete(self, *names: str) -> None:
        self._answer()
        for name in names:
            self.flags.pop(name, None)

    def mget(self, names: list[str]) -> list[bytes | None]:
        return [self.flags.get(name) for name in names]

    def llen(self, name: str) -> int:
        return {"registry": 3}.get(name, 0)

    def publish(self, channel: str, revision: int) -> None:
        self._answer()
        self.published.append((channel, revision))

    def _answer(self) -> None:
        self.calls += 1
        if self.is_away:
            raise redis.ConnectionError("away")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    tasks: list[str] = []

    def send_task(name: str, **options: Any) -> None:
        tasks.append(name)

    monkeypatch.setattr("registry.wakeups.current_app.send_task", send_task)
    monkeypatch.setattr(wakeups, "_outage", wakeups._Outage())
    return tasks


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeRedis:
    fake = FakeRedis()
    monkeypatch.setattr(wakeups, "_redis", lambda: fake)
    return fake


def test_a_thousand_commits_send_one_task_until_it_begins(server: FakeRedis, sent: list[str]) -> None:
    for _ in range(1000):
        wakeups.wake_notifications()
    assert sent == [NOTIFICATIONS]

    wakeups.acknowledge(NOTIFICATIONS)
    wakeups.wake_notifications()

    assert sent == [NOTIFICATIONS] * 2


def test_a_flushed_redis_costs_a_task_too_many_and_no_change(server: FakeRedis, sent: list[str]) -> None:
    wakeups.wake_notifications()
    server.flags.clear()
    wakeups.wake_notifications()

    assert len(sent) == 2


def test_while_redis_is_away_commits_go_on_and_it_is_said_once(
    server: FakeRedis, sent: list[str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("registry.wakeups.time.monotonic", lambda: now)
    server.is_away = True
    with caplog.at_level(logging.INFO, "registry.wakeups"):
        for _ in range(100):
            wakeups.wake_heartbeats()
        assert server.calls == 1
        now += wakeups.RETRY_SECONDS
        wakeups.wake_heartbeats()
        server.is_away = False
        now += wakeups.RETRY_SECONDS
        wakeups.wake_heartbeats()

    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert sent == ["registry.tasks.sweep_heartbeats"]


def test_a_redis_that_cannot_be_reached_is_no_error(
    sent: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = redis.Redis.from_url(f"unix://{tmp_path}/none.sock")
    monkeypatch.setattr(wakeups, "_redis", lambda: missing)

    wakeups.wake_notifications()
    wakeups.acknowledge(NOTIFICATIONS)

    assert sent == []


def test_the_backlog_says_since_when_a_task_waits_until_it_begins(
    server: FakeRedis, sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.wakeups.time.time", lambda: 100.0)
    wakeups.wake_notifications()
    monkeypatch.setattr("registry.wakeups.time.time", lambda: 200.0)
    server.flags.pop(f"rollcall:pending:{NOTIFICATIONS}")
    wakeups.wake_notifications()

    assert wakeups.backlog().waiting_since == {NOTIFICATIONS: 100.0}
    assert wakeups.backlog().lengths == {"registry": 3, "registry.heartbeats": 0}

    wakeups.acknowledge(NOTIFICATIONS)
    assert wakeups.backlog().waiting_since == {}


def test_a_revision_is_announced_here_and_to_other_processes(server: FakeRedis, sent: list[str]) -> None:
    heard: list[int] = []
    end = wakeups.listen(heard.append)

    wakeups.announce(7)
    end()
    wakeups.announce(8)

    assert heard == [7]
    assert server.published == [(wakeups.REVISIONS_CHANNEL, 7), (wakeups.REVISIONS_CHANNEL, 8)]


def test_an_announcement_that_fails_is_heard_here_and_fails_no_commit(server: FakeRedis, sent: list[str]) -> None:
    server.is_away = True
    heard: list[int] = []
    end = wakeups.listen(heard.append)

    wakeups.announce(7)
    end()

    assert heard == [7]


def test_a_listener_that_fails_keeps_no_other_from_hearing_and_fails_no_commit(
    server: FakeRedis, sent: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[int] = []

    def closed(revision: int) -> None:
        raise RuntimeError("Event loop is closed")

    ends = [wakeups.listen(closed), wakeups.listen(heard.append)]
    try:
        wakeups.announce(7)
    finally:
        for end in ends:
            end()

    assert heard == [7]
    assert "could not be told of revision 7" in caplog.text
