import logging
import threading
from pathlib import Path
from typing import Any

import pytest
import redis

from registry.redis_client import Command, Line
from registry.wakeups import HEARTBEATS, NOTIFICATIONS, RETRY_SECONDS, REVISIONS_CHANNEL, Asks, Growth, Wakeups
from tests.clock import Clock
from tests.waiting import PATIENCE_SECONDS


class FakeRedis:
    """Answers as Redis does, and can be away."""

    def __init__(self) -> None:
        self.lists: dict[str, list[bytes]] = {}
        self.published: list[tuple[str, int]] = []
        self.round_trips = 0
        self.is_away = False

    def ask(self, *commands: Command, pause_seconds: float = 0.0) -> list[Any]:
        self.round_trips += 1
        if self.is_away:
            raise redis.ConnectionError("away")
        return [self._answer(*command) for command in commands]

    def _answer(self, name: Any, key: Any, *arguments: Any) -> Any:
        match name:
            case "RPUSH":
                self.lists.setdefault(key, []).append(str(arguments[0]).encode())
            case "LTRIM":
                self.lists[key] = self.lists[key][arguments[0] : arguments[1] + 1]
            case "DEL":
                self.lists.pop(key, None)
            case "LINDEX":
                return next(iter(self.lists.get(key, [])), None)
            case "LLEN":
                return {"registry": 3}.get(key, 0)
            case "PUBLISH":
                self.published.append((key, arguments[0]))
            case "BLPOP":
                keys = (key, *arguments[:-1])
                return next(((each.encode(), self.lists[each].pop(0)) for each in keys if self.lists.get(each)), None)
        return None


@pytest.fixture
def server() -> FakeRedis:
    return FakeRedis()


@pytest.fixture
def clock() -> Clock:
    return Clock(100.0)


@pytest.fixture
def wakeups(server: FakeRedis, clock: Clock) -> Wakeups:
    return made(server, clock)


def made(server: Asks, clock: Clock) -> Wakeups:
    return Wakeups(server, clock=clock, wall_clock=clock)


def test_a_thousand_commits_make_one_call_until_it_is_taken(wakeups: Wakeups) -> None:
    for _ in range(1000):
        wakeups.wake(NOTIFICATIONS)
    assert wakeups.taken([HEARTBEATS, NOTIFICATIONS]) == NOTIFICATIONS
    assert wakeups.taken([HEARTBEATS, NOTIFICATIONS]) is None

    wakeups.wake(NOTIFICATIONS)
    assert wakeups.taken([NOTIFICATIONS]) == NOTIFICATIONS


def test_a_call_is_left_to_those_who_work_for_it(wakeups: Wakeups) -> None:
    wakeups.wake(HEARTBEATS)
    assert wakeups.taken([NOTIFICATIONS]) is None
    assert wakeups.taken([HEARTBEATS]) == HEARTBEATS


def test_a_sweep_that_begins_answers_the_call_that_waits(wakeups: Wakeups) -> None:
    wakeups.wake(NOTIFICATIONS)
    wakeups.acknowledge(NOTIFICATIONS)
    assert wakeups.taken([NOTIFICATIONS]) is None


def test_while_redis_is_away_commits_go_on_and_it_is_said_once(
    wakeups: Wakeups, server: FakeRedis, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    server.is_away = True
    with caplog.at_level(logging.INFO, "registry.wakeups"):
        for _ in range(100):
            wakeups.wake(HEARTBEATS)
        assert server.round_trips == 1
        clock.now += RETRY_SECONDS
        wakeups.wake(HEARTBEATS)
        server.is_away = False
        clock.now += RETRY_SECONDS
        wakeups.wake(HEARTBEATS)

    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert wakeups.taken([HEARTBEATS]) == HEARTBEATS


def test_a_redis_that_cannot_be_reached_is_no_error_to_a_commit(tmp_path: Path, clock: Clock) -> None:
    alone = made(Line(f"unix://{tmp_path}/none.sock"), clock)

    alone.wake(NOTIFICATIONS)
    alone.acknowledge(NOTIFICATIONS)

    with pytest.raises(redis.RedisError):
        alone.taken([NOTIFICATIONS])


def test_the_backlog_says_since_when_a_call_waits_until_it_is_answered(wakeups: Wakeups, clock: Clock) -> None:
    wakeups.wake(NOTIFICATIONS)
    clock.now = 200.0
    wakeups.wake(NOTIFICATIONS)

    assert wakeups.backlog().waiting_since == {NOTIFICATIONS: 100.0}
    assert wakeups.backlog().lengths == {"registry": 3, "registry.heartbeats": 0}

    wakeups.acknowledge(NOTIFICATIONS)
    assert wakeups.backlog().waiting_since == {}


def test_what_comes_afterwards_is_done_at_once_where_there_is_no_background(wakeups: Wakeups) -> None:
    done: list[str] = []
    wakeups.afterwards("log 1", lambda: done.append("logged"))
    assert done == ["logged"]


def test_a_revision_is_announced_here_and_to_other_processes(wakeups: Wakeups, server: FakeRedis) -> None:
    heard: list[int] = []
    end = wakeups.listen(lambda revision, growth: heard.append(revision))

    wakeups.announce(7)
    end()
    wakeups.announce(8)

    assert heard == [7]
    assert server.published == [(REVISIONS_CHANNEL, 7), (REVISIONS_CHANNEL, 8)]


def test_an_announcement_that_fails_is_heard_here_and_fails_no_commit(wakeups: Wakeups, server: FakeRedis) -> None:
    server.is_away = True
    heard: list[int] = []
    wakeups.listen(lambda revision, growth: heard.append(revision))

    wakeups.announce(7)

    assert heard == [7]


def test_a_listener_that_fails_keeps_no_other_from_hearing_and_fails_no_commit(
    wakeups: Wakeups, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[int] = []

    def closed(revision: int, growth: Growth | None) -> None:
        raise RuntimeError("Event loop is closed")

    wakeups.listen(closed)
    wakeups.listen(lambda revision, growth: heard.append(revision))

    wakeups.announce(7)

    assert heard == [7]
    assert "could not be told of revision 7" in caplog.text


def test_in_the_background_no_commit_waits_for_a_redis_that_hangs_and_the_newest_revision_is_announced(
    clock: Clock,
) -> None:
    answers, announced = threading.Event(), threading.Event()

    class Hanging(FakeRedis):
        def ask(self, *commands: Command, pause_seconds: float = 0.0) -> list[Any]:
            assert answers.wait(PATIENCE_SECONDS)
            answer = super().ask(*commands)
            if (REVISIONS_CHANNEL, 3) in self.published:
                announced.set()
            return answer

    hanging = Hanging()
    wakeups = made(hanging, clock)
    heard: list[int] = []
    wakeups.listen(lambda revision, growth: heard.append(revision))
    wakeups.run_in_background()

    wakeups.wake(HEARTBEATS)
    for revision in (1, 2, 3):
        wakeups.announce(revision)

    # Listeners in this process have heard by then, and Redis has not answered yet.
    assert (heard, hanging.lists, hanging.published) == ([1, 2, 3], {}, [])
    answers.set()
    assert announced.wait(PATIENCE_SECONDS)
    assert wakeups.taken([HEARTBEATS]) == HEARTBEATS
    assert hanging.published[-1] == (REVISIONS_CHANNEL, 3)
