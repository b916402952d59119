import asyncio
from datetime import datetime

import pytest
from django.db import OperationalError

from registry import wakeups
from tests import factories
from tests.registry.discovery.desk import Desk


def test_those_who_look_at_the_same_time_share_one_look(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0

    async def scenario(desk: Desk) -> None:
        nonlocal looks
        run = desk.reader.watcher._run

        async def counting(function: object) -> object:
            nonlocal looks
            looks += 1
            return await run(function)  # type: ignore[arg-type]  # any function will do

        desk.reader.watcher._run = counting
        await asyncio.gather(*(desk.look() for _ in range(50)))

    desk.run(scenario)
    assert looks == 1


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
        run = desk.reader.watcher._run

        async def failing(function: object) -> object:
            raise OperationalError("away")

        desk.reader.watcher._run = failing
        with pytest.raises(OperationalError):
            await desk.look()
        desk.reader.watcher._run = run
        await desk.look()

    desk.run(scenario)


def _announce() -> None:
    for listener in wakeups.current().listeners:
        listener(1)
