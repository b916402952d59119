import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import pytest

from config.problems import NotFound, Problem
from registry.discovery import batches
from registry.discovery.batches import Batched, Batches
from registry.discovery.pages import Page, page_of
from registry.journal.log import Position
from tests.waiting import PATIENCE_SECONDS


def made_of(asked: str) -> Page:
    return page_of(Position("h", 1), None, asked, names_revision=False)


class Kitchen:
    """Makes pages that hold what was asked for, when it is let."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.lets_make = asyncio.Event()
        self.begun = asyncio.Event()
        self.failures: list[Exception] = []

    async def run(self, make: Callable[[], Any]) -> Any:
        pages = make()
        await self.lets_make.wait()
        if self.failures:
            raise self.failures.pop()
        return pages

    def make_all(self, asked: Sequence[str]) -> list[Page | Problem]:
        self.batches.append(list(asked))
        self.begun.set()
        return [NotFound("There is none.") if each == "nothing" else made_of(each) for each in asked]

    async def until_begun(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.batches) < count:
                self.begun.clear()
                await self.begun.wait()


def run(scenario: Callable[[Kitchen, Batches], Awaitable[None]]) -> Kitchen:
    async def begin() -> Kitchen:
        kitchen = Kitchen()
        await scenario(kitchen, Batches(kitchen.run, kitchen.make_all))
        return kitchen

    return asyncio.run(begin())


async def bodies(pages: Sequence["asyncio.Future[Page]"]) -> list[bytes]:
    return [page.rest for page in await asyncio.gather(*pages)]


def test_pages_that_are_asked_for_in_one_moment_are_made_together_and_each_asker_gets_its_own() -> None:
    async def scenario(kitchen: Kitchen, made: Batches) -> None:
        kitchen.lets_make.set()
        assert await bodies([made.page("a"), made.page("b")]) == [b'"a"', b'"b"']
        assert await bodies([made.page("c")]) == [b'"c"']

    assert run(scenario).batches == [["a", "b"], ["c"]]


def test_what_is_asked_for_while_a_batch_is_made_is_made_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "SLOW_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(batches, "MOST_TOGETHER", 2)

    async def scenario(kitchen: Kitchen, made: Batches) -> None:
        first = made.page("a")
        await kitchen.until_begun(1)
        others = [made.page(each) for each in "bcd"]
        await asyncio.sleep(0)
        assert kitchen.batches == [["a"]]
        kitchen.lets_make.set()
        assert await bodies([first, *others]) == [b'"a"', b'"b"', b'"c"', b'"d"']

    assert run(scenario).batches == [["a"], ["b", "c"], ["d"]]


def test_a_batch_that_is_slow_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "SLOW_SECONDS", 0.001)

    async def scenario(kitchen: Kitchen, made: Batches) -> None:
        first = made.page("a")
        await kitchen.until_begun(1)
        second = made.page("b")
        await kitchen.until_begun(2)
        third = made.page("c")
        await kitchen.until_begun(3)
        kitchen.lets_make.set()
        assert await bodies([first, second, third]) == [b'"a"', b'"b"', b'"c"']

    assert run(scenario).batches == [["a"], ["b"], ["c"]]


def test_of_a_slow_batch_each_page_is_given_out_when_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "SLOW_SECONDS", 0.0)
    makes_second = threading.Event()

    def make_all(asked: Sequence[str]) -> Iterator[Page]:
        yield made_of(asked[0])
        assert makes_second.wait(PATIENCE_SECONDS)
        raise ConnectionError("away")

    async def scenario() -> None:
        made = Batches(asyncio.to_thread, make_all)
        first, second = made.page("a"), made.page("b")
        assert await bodies([first]) == [b'"a"']
        makes_second.set()
        with pytest.raises(ConnectionError):
            await second

    asyncio.run(scenario())


def test_the_failure_of_a_batch_is_that_of_each_of_its_pages_and_of_no_other() -> None:
    async def scenario(kitchen: Kitchen, made: Batches) -> None:
        kitchen.lets_make.set()
        kitchen.failures.append(ConnectionError("away"))
        outcomes = await asyncio.gather(made.page("a"), made.page("b"), return_exceptions=True)
        assert [type(each) for each in outcomes] == [ConnectionError, ConnectionError]
        assert await bodies([made.page("c")]) == [b'"c"']

    run(scenario)


def test_what_is_wrong_with_one_page_is_no_concern_of_the_others_of_its_batch() -> None:
    async def scenario(kitchen: Kitchen, made: Batches) -> None:
        kitchen.lets_make.set()
        missing, page = await asyncio.gather(made.page("nothing"), made.page("b"), return_exceptions=True)
        assert isinstance(missing, NotFound)
        assert isinstance(page, Page)
        with pytest.raises(NotFound):
            Batched(kitchen.make_all, "nothing")()
        assert Batched(kitchen.make_all, "b")() == page

    assert run(scenario).batches == [["nothing", "b"], ["nothing"], ["b"]]


def test_where_no_thread_can_be_started_its_pages_fail_and_the_next_are_made() -> None:
    async def scenario(kitchen: Kitchen, _: Batches) -> None:
        refusals = [RuntimeError("can't start new thread")]

        def start(make: Callable[[], Any]) -> Awaitable[Any]:
            if refusals:
                raise refusals.pop()
            return kitchen.run(make)

        kitchen.lets_make.set()
        made = Batches(start, kitchen.make_all)
        with pytest.raises(RuntimeError, match="new thread"):
            await made.page("a")
        assert await bodies([made.page("b")]) == [b'"b"']

    run(scenario)


def test_a_page_that_was_given_up_while_it_waited_is_not_made() -> None:
    async def scenario(kitchen: Kitchen, made: Batches) -> None:
        kitchen.lets_make.set()
        made.page("a").cancel()
        assert await bodies([made.page("b")]) == [b'"b"']
        made.page("c").cancel()
        await asyncio.sleep(0)
        assert await bodies([made.page("d")]) == [b'"d"']

    assert run(scenario).batches == [["b"], ["d"]]
