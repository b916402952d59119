import logging
import threading
from pathlib import Path
from typing import Any, cast

import pytest
import redis

from registry.wakeups import HEARTBEATS, NOTIFICATIONS, RETRY_SECONDS, REVISIONS_CHANNEL, Wakeups
from tests.clock import Clock
from tests.waiting import PATIENCE_SECONDS


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
def server() -> FakeRedis:
    return FakeRedis()


@pytest.fixture
def sent() -> list[str]:
    return []


@pytest.fixture
def clock() -> Clock:
    return Clock(100.0)


@pytest.fixture
def wakeups(server: FakeRedis, sent: list[str], clock: Clock) -> Wakeups:
    return made(cast(redis.Redis, server), sent, clock)


def made(server: redis.Redis, sent: list[str], clock: Clock) -> Wakeups:
    def send_task(name: str, **options: Any) -> None:
        sent.append(name)

    return Wakeups(server, send_task=send_task, clock=clock, wall_clock=clock)


def test_a_thousand_commits_send_one_task_until_it_begins(wakeups: Wakeups, sent: list[str]) -> None:
    for _ in range(1000):
        wakeups.wake(NOTIFICATIONS)
    assert sent == [NOTIFICATIONS]

    wakeups.acknowledge(NOTIFICATIONS)
    wakeups.wake(NOTIFICATIONS)

    assert sent == [NOTIFICATIONS] * 2


def test_a_flushed_redis_costs_a_task_too_many_and_no_change(
    wakeups: Wakeups, server: FakeRedis, sent: list[str]
) -> None:
    wakeups.wake(NOTIFICATIONS)
    server.flags.clear()
    wakeups.wake(NOTIFICATIONS)

    assert len(sent) == 2


def test_while_redis_is_away_commits_go_on_and_it_is_said_once(
    wakeups: Wakeups, server: FakeRedis, sent: list[str], clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    server.is_away = True
    with caplog.at_level(logging.INFO, "registry.wakeups"):
        for _ in range(100):
            wakeups.wake(HEARTBEATS)
        assert server.calls == 1
        clock.now += RETRY_SECONDS
        wakeups.wake(HEARTBEATS)
        server.is_away = False
        clock.now += RETRY_SECONDS
        wakeups.wake(HEARTBEATS)

    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert sent == [HEARTBEATS]


def test_a_redis_that_cannot_be_reached_is_no_error(tmp_path: Path, sent: list[str], clock: Clock) -> None:
    alone = made(redis.Redis.from_url(f"unix://{tmp_path}/none.sock"), sent, clock)

    alone.wake(NOTIFICATIONS)
    alone.acknowledge(NOTIFICATIONS)

    assert sent == []


def test_the_backlog_says_since_when_a_task_waits_until_it_begins(
    wakeups: Wakeups, server: FakeRedis, clock: Clock
) -> None:
    wakeups.wake(NOTIFICATIONS)
    clock.now = 200.0
    server.flags.pop(f"rollcall:pending:{NOTIFICATIONS}")
    wakeups.wake(NOTIFICATIONS)

    assert wakeups.backlog().waiting_since == {NOTIFICATIONS: 100.0}
    assert wakeups.backlog().lengths == {"registry": 3, "registry.heartbeats": 0}

    wakeups.acknowledge(NOTIFICATIONS)
    assert wakeups.backlog().waiting_since == {}


def test_a_revision_is_announced_here_and_to_other_processes(wakeups: Wakeups, server: FakeRedis) -> None:
    heard: list[int] = []
    end = wakeups.listen(heard.append)

    wakeups.announce(7)
    end()
    wakeups.announce(8)

    assert heard == [7]
    assert server.published == [(REVISIONS_CHANNEL, 7), (REVISIONS_CHANNEL, 8)]


def test_an_announcement_that_fails_is_heard_here_and_fails_no_commit(wakeups: Wakeups, server: FakeRedis) -> None:
    server.is_away = True
    heard: list[int] = []
    wakeups.listen(heard.append)

    wakeups.announce(7)

    assert heard == [7]


def test_a_listener_that_fails_keeps_no_other_from_hearing_and_fails_no_commit(
    wakeups: Wakeups, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[int] = []

    def closed(revision: int) -> None:
        raise RuntimeError("Event loop is closed")

    wakeups.listen(closed)
    wakeups.listen(heard.append)

    wakeups.announce(7)

    assert heard == [7]
    assert "could not be told of revision 7" in caplog.text


def test_in_the_background_no_commit_waits_for_a_redis_that_hangs_and_the_newest_revision_is_announced(
    clock: Clock,
) -> None:
    answers, announced = threading.Event(), threading.Event()
    sent: list[str] = []

    class Hanging(FakeRedis):
        def _answer(self) -> None:
            assert answers.wait(PATIENCE_SECONDS)

        def publish(self, channel: str, revision: int) -> None:
            super().publish(channel, revision)
            if revision == 3:
                announced.set()

    hanging = Hanging()
    wakeups = made(cast(redis.Redis, hanging), sent, clock)
    heard: list[int] = []
    wakeups.listen(heard.append)
    wakeups.run_in_background()

    wakeups.wake(HEARTBEATS)
    for revision in (1, 2, 3):
        wakeups.announce(revision)

    # Listeners in this process have heard by then, and Redis has not answered yet.
    assert (heard, sent, hanging.published) == ([1, 2, 3], [], [])
    answers.set()
    assert announced.wait(PATIENCE_SECONDS)
    assert sent == [HEARTBEATS]
    assert hanging.published[-1] == (REVISIONS_CHANNEL, 3)
