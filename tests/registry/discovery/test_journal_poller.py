import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db import OperationalError

from registry import wakeups
from registry.discovery.journal_poller import Run, Watcher
from tests import factories
from tests.registry.discovery.desk import Desk


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


def _announce() -> None:
    for listener in wakeups.current().listeners:
        listener(1)
