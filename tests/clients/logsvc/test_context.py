"""Fields that records carry without being given at each logging call."""

import asyncio
import io
import json
import logging
import threading

import pytest
import structlog

from logsvc.client import LogHandler, StructlogProcessor, bind, bound, context, unbind
from logsvc.client.requests import ASGIRequestIds, DjangoRequestIds, WSGIRequestIds
from tests.clients.logsvc.conftest import MakeHandler, MakeLogger
from tests.clients.logsvc.edge import Edge


def attributes(edge: Edge) -> list[dict[str, object]]:
    return [record.get("attributes", {}) for record in edge.kept.values()]


def test_bound_fields_are_on_every_record_of_the_block(edge: Edge, handler: LogHandler, logger: logging.Logger) -> None:
    with bound(course="physics", student=7):
        logger.info("inside")
        with bound(student=8):
            logger.info("nested", extra={"grade": 1.0, "course": "given here"})
    logger.info("outside")
    handler.flush()

    assert attributes(edge) == [
        {"course": "physics", "student": 7},
        {"course": "given here", "student": 8, "grade": 1.0},
        {},
    ]


def test_what_is_bound_in_a_thread_or_a_task_stays_there() -> None:
    seen: list[dict[str, object]] = []

    async def task(number: int) -> None:
        bind(number=number)
        await asyncio.sleep(0)
        seen.append(dict(context.fields()))

    async def both() -> None:
        await asyncio.gather(task(1), task(2))

    asyncio.run(both())
    thread = threading.Thread(target=bind, kwargs={"thread": 1})
    thread.start()
    thread.join()

    assert seen == [{"number": 1}, {"number": 2}]
    assert context.fields() == {}


def test_fields_can_be_unbound() -> None:
    with bound():
        bind(a=1, b=2)
        unbind("a", "never bound")

        assert context.fields() == {"b": 2}


def test_the_trace_of_opentelemetry_is_named(edge: Edge, handler: LogHandler, logger: logging.Logger) -> None:
    trace = pytest.importorskip("opentelemetry.trace")
    span = trace.NonRecordingSpan(
        trace.SpanContext(0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7, is_remote=False)
    )
    with trace.use_span(span):
        logger.info("traced")
    logger.info("not traced")
    handler.flush()

    traced, untraced = edge.kept.values()
    assert (traced["trace_id"], traced["span_id"]) == ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
    assert "trace_id" not in untraced


def test_structlog_events_are_sent_and_passed_on(edge: Edge, make_handler: MakeHandler) -> None:
    handler = make_handler(level="INFO")
    send = StructlogProcessor(handler)
    event = {"event": "graded 100%", "logger": "grading", "level": "warning", "student": 7, "msg": "kept"}

    assert send(None, "warning", event) is event
    send(None, "debug", {"event": "below the handler's level"})
    try:
        raise ZeroDivisionError("no grades")
    except ZeroDivisionError:
        send(None, "exception", {"event": "failed", "exc_info": True})
    handler.flush()

    first, second = edge.kept.values()
    assert (first["message"], first["level"], first["logger"]) == ("graded 100%", "WARNING", "grading")
    assert first["attributes"] == {"student": 7, "msg": "kept"}
    assert (second["message"], second["level"]) == ("failed", "ERROR")
    assert second["attributes"]["exception.type"] == "ZeroDivisionError"


def test_structlog_itself_sends_what_its_loggers_and_contexts_hold(edge: Edge, handler: LogHandler) -> None:
    lines = io.StringIO()
    log = structlog.wrap_logger(
        structlog.PrintLogger(lines),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            StructlogProcessor(handler),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    ).bind(course="physics-2")

    with structlog.contextvars.bound_contextvars(order=7):
        log.warning("graded %d%%", 100)
        log.debug("below structlog's level")
    try:
        raise ZeroDivisionError("no grades")
    except ZeroDivisionError:
        log.exception("failed")
    handler.flush()

    first, second = edge.kept.values()
    assert (first["message"], first["level"]) == ("graded 100%", "WARNING")
    assert first["attributes"] == {"order": 7, "course": "physics-2"}
    assert (second["message"], second["level"]) == ("failed", "ERROR")
    assert second["attributes"]["exception.stacktrace"].endswith("ZeroDivisionError: no grades")
    assert [json.loads(line)["level"] for line in lines.getvalue().splitlines()] == ["warning", "error"]


def test_structlog_events_that_come_through_logging_keep_their_fields(
    edge: Edge, handler: LogHandler, logger: logging.Logger
) -> None:
    logger.info({"event": "graded", "student": 7})
    handler.flush()

    (record,) = edge.kept.values()
    assert (record["message"], record["attributes"]) == ("graded", {"student": 7})


def test_wsgi_records_carry_the_requests_id() -> None:
    seen: list[object] = []
    headers: list[tuple[str, str]] = []

    def application(environ: dict[str, object], start_response: object) -> list[bytes]:
        seen.append(context.fields()["request_id"])
        start_response("200 OK", [])  # type: ignore[operator]  # called as a server would
        return [b""]

    def start_response(status: str, given: list[tuple[str, str]], exc_info: object = None) -> None:
        headers.extend(given)

    WSGIRequestIds(application)({"HTTP_X_REQUEST_ID": "abc-1"}, start_response)
    WSGIRequestIds(application)({"HTTP_X_REQUEST_ID": "no good\n"}, start_response)

    assert seen[0] == "abc-1"
    assert seen[1] not in ("abc-1", "no good\n")
    assert headers == [("X-Request-ID", seen[0]), ("X-Request-ID", seen[1])]
    assert context.fields() == {}


def test_asgi_records_carry_the_requests_id() -> None:
    seen: list[object] = []
    sent: list[object] = []

    async def app(scope: object, receive: object, send: object) -> None:
        seen.append(dict(context.fields()))
        await send({"type": "http.response.start", "status": 200})  # type: ignore[operator]  # called as a server would

    async def receive() -> dict[str, object]:
        return {}

    async def send(message: object) -> None:
        sent.append(message)

    ids = ASGIRequestIds(app)
    asyncio.run(ids({"type": "http", "headers": [(b"x-request-id", b"abc-1")]}, receive, send))
    asyncio.run(ids({"type": "lifespan"}, receive, send))

    assert seen == [{"request_id": "abc-1"}, {}]
    assert sent[0] == {"type": "http.response.start", "status": 200, "headers": [(b"x-request-id", b"abc-1")]}


def test_djangos_records_carry_the_requests_id() -> None:
    class Request:
        headers = {"X-Request-ID": "abc-1"}

    def view(request: Request) -> dict[str, object]:
        return dict(context.fields())

    assert DjangoRequestIds(view)(Request()) == {"request_id": "abc-1", "X-Request-ID": "abc-1"}


def test_fields_that_clash_with_a_records_own_cost_no_record(
    edge: Edge, handler: LogHandler, make_logger: MakeLogger
) -> None:
    with bound(name="bound", message="bound too", uid=1):
        make_logger(handler).info("told")
    handler.flush()

    (record,) = edge.kept.values()
    assert record["message"] == "told"
    assert record["attributes"] == {"name": "bound", "message": "bound too", "uid": 1}
