"""LogHandler, as those who log meet it."""

import itertools
import logging
import logging.config
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from logsvc.client import LogHandler
from logsvc.client.spool import Spool
from tests.clients.logsvc.conftest import MakeHandler, MakeLogger
from tests.clients.logsvc.edge import ADDRESS, Edge
from tests.waiting import until


def spooled(directory: Path) -> bytes:
    return b"".join(path.read_bytes().rstrip(b"\0") for path in sorted(directory.rglob("*.ndjson")))


def test_a_record_reaches_the_log_service(edge: Edge, handler: LogHandler, logger: logging.Logger) -> None:
    logger.error("no grade for %s", "Ada", extra={"student": 7})
    handler.flush()

    (record,) = edge.kept.values()
    assert record["message"] == "no grade for Ada"
    assert (record["service"], record["level"], record["attributes"]) == ("grading", "ERROR", {"student": 7})
    (request,) = edge.requests
    assert str(request.url) == f"{ADDRESS}/api/v1/logs"
    assert request.headers["Authorization"] == "Bearer rct_x"
    assert request.headers["Content-Type"] == "application/x-ndjson"


def test_records_that_come_together_travel_together(edge: Edge, handler: LogHandler, logger: logging.Logger) -> None:
    edge.open.clear()
    for number in range(500):
        logger.info("%d", number)
    edge.open.set()
    handler.flush()

    assert edge.messages == [str(number) for number in range(500)]
    assert len(edge.requests) <= 3


def test_whoever_logs_does_not_wait_for_a_service_that_hangs(
    edge: Edge, handler: LogHandler, logger: logging.Logger, tmp_path: Path
) -> None:
    edge.open.clear()

    for number in range(100):
        logger.info("%d", number)

    # All of this happened while the first request was unanswered.
    assert spooled(tmp_path).count(b"\n") == 100
    assert edge.kept == {}


def test_a_record_is_on_disk_when_the_call_returns(
    make_handler: MakeHandler, make_logger: MakeLogger, tmp_path: Path
) -> None:
    make_logger(make_handler(endpoint=lambda: None)).info("kept")

    assert b'"message":"kept"' in spooled(tmp_path)


def test_nothing_is_lost_while_the_service_is_down(edge: Edge, handler: LogHandler, logger: logging.Logger) -> None:
    edge.status = 0
    logger.info("one")
    handler.flush()
    edge.status = 503
    logger.info("two")
    handler.flush()
    edge.status = 200
    logger.info("three")
    handler.flush()

    assert edge.messages == ["one", "two", "three"]


def test_what_was_sent_is_not_kept_on_disk(handler: LogHandler, logger: logging.Logger, tmp_path: Path) -> None:
    logger.info("sent")
    handler.flush()

    assert spooled(tmp_path) == b""


def test_a_batch_whose_answer_was_lost_is_sent_again_with_the_same_uids(
    edge: Edge, handler: LogHandler, logger: logging.Logger
) -> None:
    edge.loses_answers = True
    logger.info("one")
    handler.flush()
    edge.loses_answers = False
    handler.flush()

    assert len(edge.requests) >= 2
    assert edge.messages == ["one"]


def test_a_process_takes_over_what_another_left_behind(
    edge: Edge, make_handler: MakeHandler, make_logger: MakeLogger, tmp_path: Path
) -> None:
    before = make_handler(endpoint=lambda: None)
    make_logger(before).info("left behind")
    before.close()

    after = make_handler()
    make_logger(after).info("new")
    after.flush()
    after.close()

    assert edge.messages == ["left behind", "new"]
    assert list(tmp_path.iterdir()) == []


def test_what_a_living_process_has_spooled_is_left_to_it(
    edge: Edge, make_handler: MakeHandler, make_logger: MakeLogger
) -> None:
    make_logger(make_handler(endpoint=lambda: None)).info("not yours")
    other = make_handler()
    make_logger(other).info("mine")
    other.flush()

    assert edge.messages == ["mine"]


def test_a_killed_process_loses_no_record_that_was_logged(
    edge: Edge, make_handler: MakeHandler, make_logger: MakeLogger
) -> None:
    logger = make_logger(make_handler(endpoint=lambda: None))
    child = os.fork()
    if child == 0:
        logger.info("last words")
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)

    heir = make_handler()
    make_logger(heir).info("new")
    heir.flush()

    assert "last words" in edge.messages


def test_a_process_killed_while_it_logs_loses_no_record_whose_call_returned(
    edge: Edge, make_handler: MakeHandler, make_logger: MakeLogger
) -> None:
    logger = make_logger(make_handler(endpoint=lambda: None))
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        for number in itertools.count():
            logger.info("%d", number)
            os.write(writing, b"%d\n" % number)
    os.close(writing)
    returned = b""
    while returned.count(b"\n") < 300:
        returned += os.read(reading, 10_000)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while more := os.read(reading, 10_000):
        returned += more
    os.close(reading)

    heir = make_handler()
    make_logger(heir).info("new")
    heir.flush()

    assert {number.decode() for number in returned.splitlines()} <= set(edge.messages)


def test_a_forked_child_logs_on_its_own_and_the_parent_goes_on(
    edge: Edge, handler: LogHandler, logger: logging.Logger, tmp_path: Path
) -> None:
    edge.status = 0
    logger.info("parent before")
    handler.flush()
    child = os.fork()
    if child == 0:
        logger.info("child")
        os._exit(0 if len(list(tmp_path.iterdir())) == 2 else 1)
    _, status = os.waitpid(child, 0)
    edge.status = 200
    logger.info("parent after")
    handler.flush()

    assert status == 0
    assert edge.messages == ["parent before", "parent after"]
    assert b'"child"' in spooled(tmp_path)


def test_nothing_of_sending_is_imported_by_a_thread_while_the_process_may_fork() -> None:
    code = (
        "import sys, logsvc.client; before = set(sys.modules); import httpx2; httpx2.Client(); "
        "print(sorted(name for name in set(sys.modules) - before if name.startswith('httpcore2')))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"


def test_closing_sends_what_waits_and_leaves_nothing(
    edge: Edge, handler: LogHandler, logger: logging.Logger, tmp_path: Path
) -> None:
    logger.info("last")

    logging.shutdown([lambda: handler])

    assert edge.messages == ["last"]
    assert list(tmp_path.iterdir()) == []


def test_closing_ends_though_the_service_hangs(
    edge: Edge, handler: LogHandler, logger: logging.Logger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logsvc.client.handler.FLUSH_SECONDS", 0.05)
    monkeypatch.setattr("logsvc.client.handler.STOP_SECONDS", 0.05)
    edge.open.clear()
    logger.info("stuck")

    handler.flush()
    handler.close()

    assert b"stuck" in spooled(tmp_path)


def test_logging_after_closing_loses_nothing(edge: Edge, handler: LogHandler, logger: logging.Logger) -> None:
    logger.info("before")
    handler.close()
    logger.info("after")
    handler.flush()

    assert edge.messages == ["before", "after"]


def test_what_is_logged_while_sending_is_not_sent(
    edge: Edge, make_handler: MakeHandler, make_logger: MakeLogger
) -> None:
    loggers: list[logging.Logger] = []

    def endpoint() -> str:
        loggers[0].warning("looking for the log service")
        return ADDRESS

    handler = make_handler(endpoint=endpoint)
    loggers.append(make_logger(handler))
    loggers[0].info("one")
    make_logger(handler, "httpx2").info("HTTP Request: POST ...")
    handler.flush()
    handler.flush()

    assert edge.messages == ["one"]


def test_the_endpoint_is_asked_in_the_background_only(
    edge: Edge, make_handler: MakeHandler, make_logger: MakeLogger
) -> None:
    askers = []

    def endpoint() -> str:
        askers.append(threading.current_thread())
        return ADDRESS

    handler = make_handler(endpoint=endpoint)
    make_logger(handler).info("one")
    handler.flush()

    assert edge.messages == ["one"]
    assert threading.main_thread() not in askers


def test_a_fault_while_sending_is_said_once_and_survived(
    edge: Edge, make_handler: MakeHandler, make_logger: MakeLogger, capsys: pytest.CaptureFixture[str]
) -> None:
    faults = [RuntimeError("no registry"), RuntimeError("still none")]

    def endpoint() -> str:
        if faults:
            raise faults.pop()
        return ADDRESS

    handler = make_handler(endpoint=endpoint)
    make_logger(handler).info("one")
    for _ in range(3):
        handler.flush()

    assert edge.messages == ["one"]
    assert capsys.readouterr().err == "logsvc.client: RuntimeError while sending: still none\n"


def test_records_beyond_the_spools_size_are_dropped_oldest_first_and_the_drop_is_logged(
    edge: Edge, make_handler: MakeHandler, make_logger: MakeLogger, capsys: pytest.CaptureFixture[str]
) -> None:
    edge.status = 0
    handler = make_handler(max_spool_bytes=40_000)
    logger = make_logger(handler)
    for number in range(1000):
        logger.info("%d", number)
    edge.status = 200
    handler.flush()
    handler.flush()

    *numbers, notice = edge.messages
    dropped = 1000 - len(numbers)
    assert 0 < dropped < 1000
    assert numbers == [str(number) for number in range(dropped, 1000)]
    assert notice == f"dropped {dropped} records while the log service was away: the spool was full"
    assert capsys.readouterr().err.count("is full") == 1


def test_records_wait_in_memory_where_no_spool_can_be_written(
    edge: Edge, make_handler: MakeHandler, make_logger: MakeLogger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    handler = make_handler(spool_dir=tmp_path / "file" / "spool")
    logger = make_logger(handler)
    edge.status = 0
    logger.info("one")
    logger.info("two")
    handler.flush()
    edge.status = 200
    handler.flush()

    assert edge.messages == ["one", "two"]
    assert capsys.readouterr().err.count("cannot be written") == 1


def test_a_spool_that_was_removed_is_made_again(
    edge: Edge, handler: LogHandler, logger: logging.Logger, tmp_path: Path
) -> None:
    logger.info("one")
    handler.flush()
    for folder in tmp_path.iterdir():
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
    logger.info("lost with the spool")
    handler.flush()
    logger.info("three")
    handler.flush()

    assert edge.messages == ["one", "three"]


def test_a_record_that_cannot_be_spooled_or_encoded_stops_nobody(
    edge: Edge,
    handler: LogHandler,
    logger: logging.Logger,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(spool: Spool, line: bytes, severity: int) -> None:
        raise AssertionError("a fault of ours")

    with monkeypatch.context() as patched:
        patched.setattr(Spool, "append", fail)
        logger.info("one")
    logger.info("two")
    handler.flush()

    assert edge.messages == ["two"]
    assert "a fault of ours" in capsys.readouterr().err


def test_the_handler_is_made_by_dict_config(tmp_path: Path) -> None:
    configured = {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {
            "logsvc": {
                "class": "logsvc.client.LogHandler",
                "level": "WARNING",
                "service": "grading",
                "token": "rct_x",
                "endpoint": "ext://logging.getLevelName",
                "spool_dir": tmp_path,
            },
        },
        "loggers": {"tests.configured": {"handlers": ["logsvc"]}},
    }
    logging.config.dictConfig(configured)

    (handler,) = logging.getLogger("tests.configured").handlers
    logging.getLogger("tests.configured").removeHandler(handler)
    assert isinstance(handler, LogHandler)
    assert handler.level == logging.WARNING


class Members:
    """A membership of the registry's client, as far as the handler knows one."""

    def __init__(self) -> None:
        self.url: str | None = None
        self.listeners: list[Callable[[Sequence[object]], object]] = []

    def choose(self, service: str) -> SimpleNamespace | None:
        assert service == "logsvc"
        return SimpleNamespace(url=self.url) if self.url else None

    def on_change(self, service: str, listener: Callable[[Sequence[object]], object]) -> None:
        self.listeners.append(listener)


def test_what_waits_is_sent_at_once_when_the_registry_says_that_the_service_is_back(
    edge: Edge, make_handler: MakeHandler, make_logger: MakeLogger, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A pause lasts for longer than this test.
    monkeypatch.setattr("logsvc.client.delivery.FIRST_PAUSE_SECONDS", 1000.0)
    monkeypatch.setattr("logsvc.client.delivery.LONGEST_PAUSE_SECONDS", 1000.0)
    members = Members()
    handler = make_handler(endpoint=members)
    logger = make_logger(handler)
    logger.info("oldest")
    handler.flush()
    logger.info("newest")
    assert edge.requests == []

    members.url = ADDRESS
    for listener in members.listeners:
        listener(["logsvc-1"])

    until(lambda: edge.messages == ["oldest", "newest"])
    assert len(members.listeners) == 1


def test_a_function_that_learns_later_of_a_registry_is_subscribed_to_then(
    edge: Edge, make_handler: MakeHandler, make_logger: MakeLogger
) -> None:
    class Finder:
        answers = [False, True]
        listeners: list[Callable[[], object]] = []

        def __call__(self) -> str | None:
            return ADDRESS

        def subscribe(self, listener: Callable[[], object]) -> bool:
            self.listeners.append(listener)
            return self.answers.pop(0)

    handler = make_handler(endpoint=Finder())
    logger = make_logger(handler)
    for number in range(4):
        logger.info("%d", number)
        handler.flush()

    assert len(edge.kept) == 4
    assert Finder.answers == []
    assert len(Finder.listeners) == 2


def test_a_fixed_address_is_enough(edge: Edge, make_handler: MakeHandler, make_logger: MakeLogger) -> None:
    handler = make_handler(endpoint=f"{ADDRESS}/")
    make_logger(handler).info("one")
    handler.flush()

    assert str(edge.requests[0].url) == f"{ADDRESS}/api/v1/logs"


def test_two_thousand_threads_lose_no_record_and_double_none(
    edge: Edge, handler: LogHandler, logger: logging.Logger
) -> None:
    start = threading.Event()

    def work(number: int) -> None:
        start.wait()
        for each in range(5):
            logger.info("%d", number * 5 + each)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2000)]
    for thread in threads:
        thread.start()
    start.set()
    for thread in threads:
        thread.join()
    handler.flush()

    assert sorted(map(int, edge.messages)) == list(range(10_000))


def test_a_fork_in_the_middle_of_other_threads_logging_loses_nothing(
    edge: Edge, make_handler: MakeHandler, make_logger: MakeLogger
) -> None:
    edge.status = 0
    handler = make_handler()
    logger = make_logger(handler)
    is_over = threading.Event()
    logged: list[list[str]] = [[] for _ in range(4)]

    def work(number: int) -> None:
        while not is_over.is_set():
            logged[number].append(f"{number}-{len(logged[number])}")
            logger.info(logged[number][-1])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    children = []
    for number in range(5):
        child = os.fork()
        if child == 0:
            logger.info("child %d", number)
            os.kill(os.getpid(), signal.SIGKILL)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    is_over.set()
    for thread in threads:
        thread.join()
    edge.status = 200
    heir = make_handler()
    make_logger(heir).info("heir")
    heir.flush()
    handler.flush()

    expected = {"heir", *(f"child {number}" for number in range(5))}.union(*logged)
    assert set(edge.messages) == expected
    assert len(edge.messages) == len(expected)


def test_a_full_disk_is_bounded_and_said_once_and_nothing_is_lost_when_there_is_room_again(
    edge: Edge,
    make_handler: MakeHandler,
    make_logger: MakeLogger,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(*args: object) -> None:
        raise OSError(28, "No space left on device")

    edge.status = 0
    handler = make_handler()
    logger = make_logger(handler)
    with monkeypatch.context() as patched:
        patched.setattr(os, "posix_fallocate", refuse)
        for number in range(2000):
            logger.info("%d", number)
        handler.flush()
        assert spooled(tmp_path) == b""
    edge.status = 200
    handler.flush()

    assert edge.messages == [str(number) for number in range(2000)]
    assert capsys.readouterr().err.count("\n") == 1
