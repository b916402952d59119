import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from config.problems import Unauthenticated
from config.tokens.issuing import Holder
from registry.discovery.token_cache import FRESH_SECONDS, IDLE_SECONDS, RECENT_SECONDS, Holders

HOLDER = Holder(name="reader", scopes=frozenset({"read"}))
HEADER = "Bearer rct_one"


class Database:
    def __init__(self) -> None:
        self.asked = 0

    async def run(self, function: Callable[[], Any]) -> Holder:
        self.asked += 1
        return HOLDER


def test_a_token_is_looked_up_again_when_it_was_not_looked_at_for_a_second() -> None:
    async def scenario() -> None:
        database = Database()
        holders = Holders(database.run)
        for now in (0.0, FRESH_SECONDS - 0.01):
            assert await holders.of(HEADER, now=now) is HOLDER
        assert database.asked == 1
        await holders.of(HEADER, now=FRESH_SECONDS)
        assert database.asked == 2

    asyncio.run(scenario())


def test_a_look_keeps_a_token_fresh_while_it_is_used() -> None:
    async def scenario() -> None:
        database = Database()
        holders = Holders(database.run)
        await holders.of(HEADER, now=0)
        [digest] = holders.due(now=0.5)
        holders.refresh({digest: HOLDER}, [digest], looked_at=0.5)
        await holders.of(HEADER, now=1.4)
        assert database.asked == 1
        assert holders.due(now=1.4 + IDLE_SECONDS) == []

    asyncio.run(scenario())


def test_a_token_that_was_checked_a_moment_ago_is_not_due() -> None:
    async def scenario() -> None:
        holders = Holders(Database().run)
        await holders.of(HEADER, now=0)
        assert holders.due(now=RECENT_SECONDS - 0.01) == []
        assert len(holders.due(now=RECENT_SECONDS)) == 1

    asyncio.run(scenario())


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer  ", "Basic abc"])
def test_a_header_without_a_token_is_refused(header: str) -> None:
    with pytest.raises(Unauthenticated):
        asyncio.run(Holders(Database().run).of(header, now=0))
