"""LogHandler, as those who log meet it."""

import itertools
import logging
import logging.config
import os
import signal
import threading
from pathlib import Path

import pytest

from logsvc.client import LogHandler
from logsvc.client.spool import Spool
from tests.clients.logsvc.conftest import MakeHandler, MakeLogger
from tests.clients.logsvc.edge import ADDRESS, Edge


def spooled(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(directory.rglob("*.ndjson")))


def test_a_record_reaches_the_log_service(edge: Edge, handler: LogHandler, logger: logging.Logger) -> None:
    logger.error("no grade for %s", "Ada", extra={"student": 7})
    handler.flush()

    (record,) = edge.kept.values()
    assert record["message"] == "no grade for Ada"
    assert (record["service"], record["level"], record["attributes"]) == ("grading", "ERROR", {"student": 7})
    (request,) = edge.requests
    assert str(request.url) == f"{ADDRESS}/v1/records"
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

    assert b'"message": "kept"' in spooled(tmp_path)


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
    assert notice == f"{dropped} records were dropped while the log service was away: the spool was full"
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
    def fail(spool: Spool, line: bytes) -> None:
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
