import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from registry.redis_client import Line
from tests.config.test_beat import Server
from tests.waiting import until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()
    server.redis.close()


@pytest.fixture
def line(server: Server) -> Line:
    return Line(f"unix://{server.socket}")


def test_several_commands_are_answered_in_their_order(line: Line) -> None:
    line.ask(("DEL", "calls"))
    assert line.ask(("RPUSH", "calls", 1.5), ("RPUSH", "calls", 2), ("LTRIM", "calls", 0, 0)) == [1, 2, b"OK"]
    assert line.ask(("BLPOP", "none", "calls", 0.1)) == [[b"calls", b"1.5"]]
    assert line.ask(("BLPOP", "none", "calls", 0.01)) == [None]


def test_a_command_that_redis_refuses_leaves_no_answer_for_the_next(line: Line) -> None:
    with pytest.raises(redis.ResponseError):
        line.ask(("SET", "one", 1), ("NONSENSE",), ("GET", "one"))
    assert line.ask(("ECHO", "hello")) == [b"hello"]


def test_redis_that_was_restarted_is_asked_again_at_once(line: Line, server: Server) -> None:
    line.ask(("PING",))
    server.kill()
    with pytest.raises(redis.ConnectionError):
        line.ask(("PING",))
    server.start()
    line.ask(("PING",))
    server.kill()
    server.start()
    assert line.ask(("ECHO", "back")) == [b"back"]


def test_a_forked_process_asks_over_a_connection_of_its_own(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    inherited = line.ask(("CLIENT", "ID"))
    monkeypatch.setattr(os, "getpid", lambda: 1)
    assert line.ask(("CLIENT", "ID")) != inherited


def test_any_number_of_threads_may_come_and_go(line: Line, server: Server) -> None:
    for _ in range(120):
        with ThreadPoolExecutor(1) as thread:
            assert thread.submit(line.ask, ("ECHO", "here")).result() == [b"here"]
    # That of a thread that has ended is closed; what counts them has one itself.
    until(lambda: len(server.redis.client_list()) == 1)


def test_threads_do_not_take_each_others_answers(line: Line) -> None:
    with ThreadPoolExecutor(4) as threads:
        answers = threads.map(lambda number: line.ask(*[("ECHO", number)] * 50), range(40))
        assert [set(each) for each in answers] == [{b"%d" % number} for number in range(40)]
