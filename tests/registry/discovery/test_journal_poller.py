import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
import redis.asyncio
from django.db import OperationalError

from registry import wakeups
from registry.discovery import journal_poller
from registry.discovery.journal_poller import Run, Watcher
from registry.journal import log
from registry.wakeups import Growth
from tests import factories
from tests.registry.discovery.desk import Desk


class Channel:
    """Redis, of which only one subscription is used."""

    def __init__(self) -> None:
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def __aenter__(self) -> "Channel":
        return self

    async def __aexit__(self, *error: object) -> None: ...

    def pubsub(self) -> "Channel":
        return self

    async def subscribe(self, name: str) -> None: ...

    async def listen(self) -> AsyncIterator[dict[str, Any]]:
        while True:
            yield await self._messages.get()

    def publish(self, revision: int) -> None:
        self._messages.put_nowait({"type": "message", "data": b"%d" % revision})


def watched(desk: Desk, run: Run) -> Watcher:
    return Watcher(desk.reader.revisions, desk.reader.holders, run)


def test_those_who_look_at_the_same_time_share_one_look(desk: Desk) -> None:
    looks: list[object] = []

    async def scenario(desk: Desk) -> None:
        async def counting(function: Callable[[], Any]) -> Any:
            looks.append(function)
            return await desk.reader.run(function)

        watcher = watched(desk, counting)
        await asyncio.gather(*(watcher.look() for _ in range(50)))

    desk.run(scenario)
    assert len(looks) == 1


def test_a_commit_of_this_process_is_looked_at_at_once(desk: Desk, now: datetime) -> None:
    async def scenario(desk: Desk) -> None:
        desk.reader.watcher.start()
        await desk.do(lambda: factories.register("billing", now=now))
        await asyncio.to_thread(_announce)
        assert (await desk.get("/v1/services")).status == 200
        assert desk.reader.revisions.head == 1
        desk.reader.watcher.stop()

    desk.run(scenario)


def test_a_database_that_is_away_is_said_and_looked_for_again(desk: Desk) -> None:
    async def scenario(desk: Desk) -> None:
        mishaps = [OperationalError("away")]

        async def failing_once(function: Callable[[], Any]) -> Any:
            if mishaps:
                raise mishaps.pop()
            return await desk.reader.run(function)

        watcher = watched(desk, failing_once)
        with pytest.raises(OperationalError):
            await watcher.look()
        await watcher.look()

    desk.run(scenario)


def test_a_commit_of_this_process_is_known_without_a_look_where_nothing_lies_between(desk: Desk, now: datetime) -> None:
    async def scenario(desk: Desk) -> None:
        async def unasked(function: Callable[[], Any]) -> Any:
            raise AssertionError("a look was made")

        await desk.look()
        watcher, revisions = watched(desk, unasked), desk.reader.revisions
        for name in ("one", "two"):
            watcher.hear_in_loop(*await _stored(desk, name, now=now))
        await desk.settle()
        events = revisions.events_after(0) or []
        assert (revisions.head, [event.revision for event in events]) == (2, [1, 2])
        assert revisions.last_change(["billing"]) == 2

    desk.run(scenario)


def test_what_this_process_has_announced_itself_costs_no_look(
    desk: Desk, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[object] = []
    monkeypatch.setattr(journal_poller, "LOOK_SECONDS", 1e6)

    async def scenario(desk: Desk) -> None:
        async def counting(function: Callable[[], Any]) -> Any:
            looks.append(function)
            return await desk.reader.run(function)

        channel = Channel()
        monkeypatch.setattr(redis.asyncio.Redis, "from_url", lambda url: channel)
        watcher = watched(desk, counting)
        watcher.start()
        await watcher.look()
        revision, growth = await _stored(desk, "one", now=now)
        watcher.hear_in_loop(revision, growth)
        await desk.settle()

        for announced, expected in ((revision, 0), (revision + 1, 1)):
            looks.clear()
            channel.publish(announced)
            await desk.settle()
            assert len(looks) == expected, announced
        await watcher.look()
        watcher.stop()

    desk.run(scenario)


def test_a_commit_that_is_heard_of_before_its_predecessor_is_looked_for(desk: Desk, now: datetime) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.look()
        revisions = desk.reader.revisions
        heard = [await _stored(desk, name, now=now) for name in ("one", "two")]
        for revision, growth in reversed(heard):
            desk.reader.watcher.hear_in_loop(revision, growth)
        await asyncio.sleep(0)
        # The later one is known of, and is not there yet: nothing counts as fresh.
        assert revisions.head == 1
        assert not revisions.is_fresh(now=asyncio.get_running_loop().time())
        await desk.look()
        assert revisions.head == 2
        assert revisions.is_fresh(now=asyncio.get_running_loop().time())
        assert [event.revision for event in revisions.events_after(0) or []] == [1, 2]

    desk.run(scenario)


def test_a_look_that_began_before_a_commit_takes_nothing_back(desk: Desk, now: datetime) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.look()
        revisions = desk.reader.revisions

        async def overtaken(function: Callable[[], Any]) -> Any:
            found = await desk.reader.run(function)
            watcher.hear_in_loop(*await _stored(desk, "one", now=now))
            await desk.settle()
            return found

        watcher, epoch = watched(desk, overtaken), revisions.epoch
        await watcher.look()
        assert (revisions.head, revisions.epoch) == (1, epoch)
        assert len(revisions.events_after(0) or []) == 1

    desk.run(scenario)


def test_a_commit_of_another_history_is_looked_for(desk: Desk, now: datetime) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.look()
        revision, growth = await _stored(desk, "one", now=now)
        desk.reader.watcher.hear_in_loop(revision, replace(growth, history="another"))
        await asyncio.sleep(0)
        assert desk.reader.revisions.head == 0
        await desk.look()
        assert desk.reader.revisions.head == 1

    desk.run(scenario)


def test_a_commit_that_comes_after_its_loop_was_closed_harms_nothing(desk: Desk) -> None:
    async def scenario(desk: Desk) -> None: ...

    desk.run(scenario)
    desk.reader.watcher.hear_in_loop(1, None)


async def _stored(desk: Desk, name: str, *, now: datetime) -> tuple[int, Growth]:
    """Register an instance; what is announced of it after the commit, which a test does not come to."""
    await desk.do(lambda: factories.register("billing", name, now=now))
    position = await desk.do(log.position)
    entries = await desk.do(lambda: log.page(after=position.revision - 1, limit=1))
    return position.revision, Growth(history=position.history, entries=entries)


def _announce() -> None:
    for listener in wakeups.current().listeners:
        listener(1, None)
