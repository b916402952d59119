"""Reads that need no task: from memory, or after a look at the journal that many share."""

import asyncio
import json
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from pytest_django import Settings

from config.problems import Unavailable
from config.tokens import issuing
from config.tokens.limits import Limits
from registry.discovery.reader import Reader
from tests import factories
from tests.registry.discovery.desk import Desk

BILLING = "/v1/services/billing/instances"


def test_what_is_kept_is_answered_at_once(desk: Desk, now: datetime) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.do(partial(factories.register, "billing", now=now))
        await desk.look()
        first, second, third = [await desk.get(BILLING) for _ in range(3)]
        assert first.received == second.received == third.received
        assert desk.answered_at_once == 2

    desk.run(scenario)


def test_what_nobody_has_asked_for_is_made_once_for_all_who_do(desk: Desk) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.get(BILLING)
        desk.made = 0
        answers = await asyncio.gather(*(desk.get(f"{BILLING}?zone=a") for _ in range(3)))
        assert (desk.made, desk.answered_at_once) == (1, 3)
        assert len({answer.body for answer in answers}) == 1
        missing = await desk.get(f"{BILLING}/billing-1")
        assert (missing.status, desk.made, desk.answered_at_once) == (404, 3, 3)

    desk.run(scenario)


@pytest.mark.usefixtures("limits")
def test_what_changes_while_it_is_made_is_made_again_and_counts_once(desk: Desk, now: datetime) -> None:
    token = issuing.create(name="slower", scopes=["read"], limits={"requests_per_second": 2})

    async def change() -> None:
        desk.on_made = None
        await desk.do(partial(factories.register, "billing", now=now))
        await desk.look()

    async def scenario(desk: Desk) -> None:
        await desk.get(BILLING, token=token)
        desk.on_made = change
        answer = await desk.get(f"{BILLING}?limit=5", token=token)
        assert [each["instance"] for each in json.loads(answer.body)["instances"]] == ["billing-1"]
        answers = [(await desk.get(BILLING, token=token)).status for _ in range(3)]
        assert answers == [200, 200, 429]

    desk.run(scenario)


@pytest.mark.parametrize("query", ["?after=0&wait=10ms", "?limit=nonsense", "?at_least=99999"])
def test_what_waits_or_is_refused_is_not(desk: Desk, query: str) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.get(BILLING)
        await desk.get(f"{BILLING}{query}")
        assert desk.answered_at_once == 0

    desk.run(scenario)


def test_consistent_reads_share_one_look_that_begins_after_them(desk: Desk, now: datetime) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.get(BILLING)
        await desk.do(partial(factories.register, "billing", now=now))
        looks = [desk.reader.look_soon() for _ in range(3)]
        assert looks[0] is looks[1] is looks[2]
        await asyncio.wait(looks)
        assert desk.reader.look_soon() is not looks[0]
        answers = await asyncio.gather(*(desk.get(f"{BILLING}?consistent") for _ in range(3)))
        assert {json.loads(answer.body)["revision"] for answer in answers} == {1}
        assert (await desk.get(f"{BILLING}?consistent")).body == answers[0].body
        assert desk.answered_at_once == 1

    desk.run(scenario)


def test_each_counts_against_the_tokens_limit_once(desk: Desk, limits: Limits) -> None:
    token = issuing.create(name="slow", scopes=["read"], limits={"requests_per_second": 2})

    async def scenario(desk: Desk) -> None:
        await desk.get(BILLING)
        answers = [(await desk.get(BILLING, token=token)).status for _ in range(6)]
        assert answers == [200] * 4 + [429] * 2
        assert limits.refused()["slow", "requests_per_second"] == 2

    desk.run(scenario)


def test_a_look_that_takes_too_long_is_given_up_for_all_who_wait(settings: Settings) -> None:
    settings.ANSWER_SECONDS = 0.05

    async def hang(function: Any) -> Any:
        await asyncio.Event().wait()

    async def scenario() -> None:
        running = Reader(hang)
        with pytest.raises(Unavailable, match="did not answer"):
            await running.look_soon()

    asyncio.run(scenario())


def test_a_look_that_fails_fails_for_all_who_wait() -> None:
    async def fail(function: Any) -> Any:
        raise OSError("the disk is gone")

    async def scenario() -> None:
        running = Reader(fail)
        looks = [running.look_soon() for _ in range(2)]
        for look in looks:
            with pytest.raises(OSError, match="gone"):
                await look

    asyncio.run(scenario())
