import asyncio
import threading
from collections.abc import Callable

import pytest

from config.threads import Threads
from config.turns import Caller

GREEDY, OTHER = Caller("10.0.0.1", b"greedy"), Caller("10.0.0.1", b"other")


def test_a_function_runs_in_a_thread_and_its_result_comes_back() -> None:
    assert asyncio.run(Threads(1).run(lambda: threading.current_thread().name)) == "request-1"


@pytest.mark.parametrize(("raised", "arrives"), [(KeyError("x"), KeyError), (StopIteration(), RuntimeError)])
def test_what_a_function_raises_comes_back(raised: Exception, arrives: type[Exception]) -> None:
    def fail() -> None:
        raise raised

    with pytest.raises(arrives):
        asyncio.run(Threads(1).run(fail))


def test_functions_run_at_once_up_to_the_number_of_threads() -> None:
    meeting = threading.Barrier(3)

    async def meet() -> None:
        threads = Threads(3)
        await asyncio.gather(*(threads.run(meeting.wait) for _ in range(3)))

    asyncio.run(meet())


def test_the_thread_that_has_worked_is_made_use_of_again() -> None:
    async def names() -> list[str]:
        threads, meeting = Threads(3), threading.Barrier(3)
        await asyncio.gather(*(threads.run(meeting.wait) for _ in range(3)))
        return [await threads.run(lambda: threading.current_thread().name) for _ in range(10)]

    assert len(set(asyncio.run(names()))) == 1


def test_no_more_threads_are_started_than_are_at_work_at_one_time() -> None:
    async def names() -> list[str]:
        threads = Threads(3)
        return [await threads.run(lambda: threading.current_thread().name) for _ in range(10)]

    assert set(asyncio.run(names())) == {"request-1"}


def test_where_no_further_thread_can_be_started_those_there_are_do_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def meet() -> bool:
        threads, gate = Threads(2), threading.Event()
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", refuse)
            with pytest.raises(RuntimeError, match="new thread"):
                await threads.run(gate.wait)
        first = threads.submit(gate.wait)
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", refuse)
            second = threads.submit(gate.wait)
        gate.set()
        return all(await asyncio.gather(first, second))

    assert asyncio.run(meet())


def test_one_caller_leaves_threads_to_others_and_has_its_rest_done_in_the_end() -> None:
    async def ask() -> tuple[list[str], list[str]]:
        threads, gate, ran = Threads(3, most_of_one=2), threading.Event(), list[str]()

        def wait() -> None:
            gate.wait()
            ran.append("greedy")

        greedy = [threads.submit(wait, caller=GREEDY) for _ in range(5)]
        await asyncio.gather(*(threads.run(_noting(ran, "other"), caller=OTHER) for _ in range(3)))
        await threads.run(_noting(ran, "nobody's"))
        before = list(ran)
        gate.set()
        await asyncio.gather(*greedy)
        return before, ran

    before, ran = asyncio.run(ask())
    assert before == ["other", "other", "other", "nobody's"]
    assert ran == [*before, *["greedy"] * 5]


def test_a_function_whose_caller_gave_up_before_it_began_is_left_out() -> None:
    ran: list[str] = []

    async def cancel_one(threads: Threads, gate: threading.Event) -> None:
        first = asyncio.ensure_future(threads.run(gate.wait))
        second = asyncio.ensure_future(threads.run(_noting(ran, "second")))
        await asyncio.sleep(0)
        second.cancel()
        gate.set()
        await first
        await threads.run(_noting(ran, "third"))

    asyncio.run(cancel_one(Threads(1), threading.Event()))
    assert ran == ["third"]


def test_a_function_whose_outcome_is_settled_before_it_began_is_left_out() -> None:
    ran: list[str] = []

    async def give_one_up(threads: Threads, gate: threading.Event) -> None:
        first = threads.submit(gate.wait)
        second = threads.submit(_noting(ran, "second"))
        second.set_exception(TimeoutError())
        gate.set()
        await asyncio.gather(first, threads.submit(_noting(ran, "third")), second, return_exceptions=True)

    asyncio.run(give_one_up(Threads(1), threading.Event()))
    assert ran == ["third"]


def test_a_result_that_comes_after_its_loop_was_closed_harms_nothing() -> None:
    threads, gate, ran = Threads(1), threading.Event(), list[str]()

    async def give_up() -> None:
        loop, begun = asyncio.get_running_loop(), asyncio.Event()
        waiting = asyncio.ensure_future(threads.run(lambda: loop.call_soon_threadsafe(begun.set) and gate.wait()))
        await begun.wait()
        waiting.cancel()

    asyncio.run(give_up())
    gate.set()
    asyncio.run(threads.run(_noting(ran, "after")))
    assert ran == ["after"]


def test_threads_keep_no_process_from_ending() -> None:
    assert asyncio.run(Threads(1).run(lambda: threading.current_thread().daemon))


def _noting(ran: list[str], name: str) -> Callable[[], None]:
    return lambda: ran.append(name)


def test_several_that_wait_are_run_before_any_is_answered_and_each_has_its_own_outcome() -> None:
    async def three() -> list[object]:
        threads, gate = Threads(1, at_once=3), threading.Event()
        loop, begun = asyncio.get_running_loop(), asyncio.Event()
        first = asyncio.ensure_future(threads.run(lambda: loop.call_soon_threadsafe(begun.set) and gate.wait(60)))
        await begun.wait()
        waiting = [asyncio.ensure_future(threads.run(each)) for each in (lambda: 1, lambda: 1 // 0, lambda: 3)]
        await asyncio.sleep(0)
        waiting[2].cancel()
        gate.set()
        await first
        return list(await asyncio.gather(*waiting, return_exceptions=True))

    result, failure, cancelled = asyncio.run(three())
    assert result == 1
    assert isinstance(failure, ZeroDivisionError)
    assert isinstance(cancelled, asyncio.CancelledError)
