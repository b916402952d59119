"""The log service's client, without Django and without a network."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from logsvc.client import LogHandler
from tests.clients.logsvc.edge import ADDRESS, Edge
from tests.waiting import PATIENCE_SECONDS

MakeHandler = Callable[..., LogHandler]
MakeLogger = Callable[..., logging.Logger]


@pytest.fixture
def edge() -> Edge:
    return Edge()


@pytest.fixture
def make_handler(edge: Edge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeHandler]:
    """Makes handlers that log to `edge` and spool below `tmp_path`; they are closed in the end."""
    # A busy machine must not turn a flush into a failure.
    monkeypatch.setattr("logsvc.client.handler.FLUSH_SECONDS", PATIENCE_SECONDS)
    made: list[LogHandler] = []

    def make(**options: Any) -> LogHandler:
        given: dict[str, Any] = {
            "service": "grading",
            "token": "rct_x",
            "spool_dir": tmp_path,
            "endpoint": lambda: ADDRESS,
        }
        made.append(LogHandler(**(given | {"transport": edge.transport} | options)))
        return made[-1]

    yield make
    edge.open.set()
    for handler in made:
        handler.close()


@pytest.fixture
def handler(make_handler: MakeHandler) -> LogHandler:
    return make_handler()


@pytest.fixture
def make_logger() -> Iterator[MakeLogger]:
    """Makes loggers with just the given handler."""
    made: list[tuple[logging.Logger, logging.Handler]] = []

    def make(handler: logging.Handler, name: str = "tests.logsvc.client") -> logging.Logger:
        logger = logging.getLogger(f"{name}.{len(made)}")
        logger.propagate = False
        logger.setLevel(logging.DEBUG)
        logger.addHandler(handler)
        made.append((logger, handler))
        return logger

    yield make
    for logger, handler in made:
        logger.removeHandler(handler)


@pytest.fixture
def logger(handler: LogHandler, make_logger: MakeLogger) -> logging.Logger:
    return make_logger(handler)
