import asyncio
import gc
import json
import logging
import threading
import weakref
from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import bodies, health, problems
from config.hosts import Hosts
from config.hybrid import Handler, Hybrid, Message, Receive, Scope, Send, respond
from config.stalls import STALL_SECONDS, TICK_SECONDS, Stalls
from tests.clock import Clock
from tests.clocked_loop import ClockedLoop
from tests.config.asgi import Client, ask, http_scope, hybrid
from tests.waiting import PATIENCE_SECONDS

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class Body(list[bytes]):
    """A WSGI answer as Django's are: it says whether it streams, and is closed in the end."""

    def __init__(self, chunks: Iterable[bytes] = (), *, streaming: bool = False) -> None:
        super().__init__(chunks)
        self.streaming = streaming
        self.closed_in: str | None = None

    def close(self) -> None:
        self.closed_in = threading.current_thread().name


class Endless:
    streaming = True

    def __init__(self) -> None:
        self.made = 0
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        while True:
            self.made += 1
            yield b"more"

    def close(self) -> None:
        self.is_closed = True


def echo(environ: dict[str, Any], start_response: StartResponse) -> Body:
    start_response("201 Created", [("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
    return Body([environ["REQUEST_METHOD"].encode(), b" ", environ["wsgi.input"].read()])


def answering(body: Any, *headers: tuple[str, str]) -> Callable[[dict[str, Any], StartResponse], Any]:
    def application(environ: dict[str, Any], start_response: StartResponse) -> Any:
        start_response("200 OK", list(headers))
        return body

    return application


def failing(error: Exception) -> Callable[[dict[str, Any], StartResponse], Any]:
    def application(environ: dict[str, Any], start_response: StartResponse) -> Any:
        raise error

    return application


DONE = problems.RawResponse(status=204, headers=(), body=b"")


class AtOnce:
    """A lane that answers at once, or fails to."""

    def __init__(self, answer: Callable[[], Any]) -> None:
        self._answer = answer

    def __call__(self, scope: Scope) -> None:
        return None

    def at_once(self, scope: Scope, *, has_waited: bool) -> Any:
        return self._answer()


class Soon:
    """A lane that answers changes without a task, each by what the test sets `answered` to."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.answered: list[asyncio.Future[problems.RawResponse]] = []

    def __call__(self, scope: Scope) -> None:
        return None

    def answer_soon(self, scope: Scope, body: bytes) -> "asyncio.Future[problems.RawResponse]":
        if self.error is not None:
            raise self.error
        self.answered.append(asyncio.get_running_loop().create_future())
        return self.answered[-1]


async def soon(application: Hybrid, body: bytes = b"", **members: Any) -> Any:
    """The answer to a change, after a request of the ordinary kind."""
    client = Client()
    await application(http_scope(**members), client.receive, client.send)
    return application.answer_soon(http_scope(method="PUT", **members), body)


def lane_of(handler: Handler, path: str = "/native") -> Callable[[Scope], Handler | None]:
    return lambda scope: handler if scope["path"] == path else None


def request_of(*chunks: bytes) -> list[Message]:
    last = len(chunks) - 1
    return [{"type": "http.request", "body": chunk, "more_body": at < last} for at, chunk in enumerate(chunks)]


def test_the_application_gets_the_request_and_its_answer_is_sent_whole() -> None:
    client = ask(hybrid(echo), http_scope(method="PUT"), *request_of(b"one", b"", b"two"))
    assert client.status == 201
    assert client.body == b"PUT onetwo"
    assert client.headers == [(b"content-type", b"text/plain"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    assert client.has_everything


def test_an_answer_is_made_and_closed_in_a_thread_of_its_own() -> None:
    body = Body([b"x"])
    ask(hybrid(answering(body)), http_scope())
    assert body.closed_in == "request-1"


def test_a_lane_answers_before_the_application_is_asked() -> None:
    async def native(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, problems.RawResponse(status=200, headers=(), body=b"native"))

    application = hybrid(echo, [lane_of(native)])
    assert ask(application, http_scope("/native")).body == b"native"
    assert ask(application, http_scope("/other")).body == b"GET "


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_health_lane_answers_without_the_application(method: str) -> None:
    client = ask(hybrid(failing(AssertionError()), [health.lane]), http_scope("/healthz", method=method))
    assert client.status == 200
    assert json.loads(client.body) == {"status": "ok"}
    assert (b"content-length", b"16") in client.headers


@given(chunks=st.lists(st.binary(max_size=40), min_size=1, max_size=8))
def test_a_body_is_passed_on_whole_or_refused_by_its_size_alone(chunks: list[bytes]) -> None:
    whole = b"".join(chunks)
    client = ask(hybrid(echo), http_scope(method="POST"), *request_of(*chunks))
    if len(whole) > 100:
        assert client.status == 413
    else:
        assert client.body == b"POST " + whole


def test_a_body_declared_too_large_is_refused_before_any_of_it_is_read() -> None:
    scope = http_scope(method="POST", headers=[(b"content-length", b"101")])
    client = ask(hybrid(failing(AssertionError())), scope, *request_of(b"x"))
    assert client.status == 413
    assert (b"content-type", b"application/problem+json") in client.headers
    assert json.loads(client.body)["limit_bytes"] == 100


def test_a_request_that_broke_off_never_reaches_the_application() -> None:
    part: Message = {"type": "http.request", "body": b"half", "more_body": True}
    client = ask(hybrid(failing(AssertionError())), http_scope(method="POST"), part, stays=False)
    # A client that has closed only its own side reads why.
    assert client.status == 400
    assert json.loads(client.body)["type"] == "urn:rollcall:problem:incomplete-body"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_what_is_only_read_takes_no_other_method(path: str) -> None:
    client = ask(hybrid(failing(AssertionError()), [health.lane]), http_scope(path, method="POST"))
    assert client.status == 405
    assert (b"allow", b"GET, HEAD") in client.headers


def test_a_body_is_read_for_nobody_who_is_not_admitted() -> None:
    async def refuse(scope: Scope) -> bool:
        raise problems.Unauthenticated("Send a token.")

    application = hybrid(failing(AssertionError()), admission=refuse)
    scope = http_scope(method="POST", headers=[(b"content-length", b"3")])
    client = Client(*request_of(b"abc"))
    asyncio.run(application(scope, client.receive, client.send))
    assert client.status == 401
    assert client.unread == 1


def test_a_request_without_a_body_is_left_to_the_application() -> None:
    async def refuse(scope: Scope) -> bool:
        raise problems.Unauthenticated("Send a token.")

    assert ask(hybrid(echo, admission=refuse), http_scope()).body == b"GET "


def test_what_all_bodies_hold_is_bounded_and_given_back() -> None:
    async def is_unknown(scope: Scope) -> bool:
        return False

    application = hybrid(echo, admission=is_unknown, buffer_bytes=100)
    scope = http_scope(method="POST", headers=[(b"content-length", b"25")])
    for _ in range(10):
        assert ask(application, dict(scope), *request_of(b"x" * 25)).status == 201
    over = ask(application, dict(scope), *request_of(b"x" * 20, b"x" * 6))
    assert over.status == 503
    assert (b"retry-after", b"1") in over.headers


@pytest.mark.parametrize("hosts", [(), (b"evil.example",), (b"localhost", b"localhost"), (b"",), (b"localhost:x",)])
def test_a_host_that_is_none_of_ours_is_refused_in_one_line(
    hosts: tuple[bytes, ...], caplog: pytest.LogCaptureFixture
) -> None:
    application = hybrid(failing(AssertionError()), [health.lane], hosts=Hosts(["localhost"]))
    client = ask(application, http_scope("/readyz", headers=[(b"host", host) for host in hosts]))
    assert client.status == 400
    assert json.loads(client.body)["type"] == "urn:rollcall:problem:unknown-host"
    assert len(caplog.records) == 1
    assert caplog.records[0].exc_info is None


@pytest.mark.parametrize("host", [b"localhost", b"LOCALHOST:8000", b"localhost:1"])
def test_a_host_of_ours_is_answered(host: bytes) -> None:
    application = hybrid(echo, hosts=Hosts(["localhost"]))
    for _ in range(2):
        assert ask(application, http_scope(headers=[(b"host", host)])).status == 201


def test_nothing_is_answered_at_once_for_a_host_that_was_not_allowed_before(caplog: pytest.LogCaptureFixture) -> None:
    application = hybrid(echo, [AtOnce(lambda: DONE)], hosts=Hosts(["localhost"]))
    scopes = [http_scope(headers=[(b"host", host)]) for host in (b"localhost", b"evil.example")]
    assert [application.at_once(scope) for scope in scopes] == [None, None]
    ask(application, scopes[0])
    assert [application.at_once(scope) for scope in scopes] == [DONE, None]
    assert not caplog.records


def test_no_change_is_answered_soon_for_a_host_that_was_not_allowed_before() -> None:
    async def exchange() -> list[bool]:
        application = hybrid(echo, [Soon()], hosts=Hosts(["localhost"]))
        hosts = [b"localhost", b"evil.example"]
        return [await soon(application, headers=[(b"host", host)]) is None for host in hosts]

    assert asyncio.run(exchange()) == [False, True]


def test_a_body_beyond_a_limit_is_left_to_be_refused_the_ordinary_way() -> None:
    async def exchange() -> list[bool]:
        lane = Soon()
        application = hybrid(echo, [lane], limit=4, buffer_bytes=6)
        found = [await soon(application, body) is None for body in (b"12345", b"1234", b"1234")]
        # What the second held is given back with its answer.
        lane.answered[0].set_result(DONE)
        await asyncio.sleep(0)
        return [*found, await soon(application, b"1234") is None]

    assert asyncio.run(exchange()) == [True, False, True, False]


def test_after_a_stall_changes_go_the_ordinary_way() -> None:
    async def exchange() -> tuple[bool, bool]:
        clock = Clock(100.0)
        application = hybrid(echo, [Soon()], stalls=Stalls(clock))
        before = await soon(application) is None
        clock.now += STALL_SECONDS + TICK_SECONDS + 0.1
        return before, await soon(application) is None

    assert asyncio.run(exchange()) == (False, True)


@pytest.mark.parametrize(
    ("error", "status", "logged"), [(problems.Unauthenticated("No."), 401, 0), (RuntimeError("A bug."), 500, 1)]
)
def test_a_change_that_is_refused_is_answered_and_noted(
    error: Exception, status: int, logged: int, caplog: pytest.LogCaptureFixture
) -> None:
    noted: list[problems.Problem] = []
    application = hybrid(echo, [Soon(error)], on_problem=lambda scope, problem: noted.append(problem))
    assert asyncio.run(soon(application)).status == status
    assert ([each.status for each in noted], len(caplog.records)) == ([status], logged)


def test_a_change_is_answered_in_time_also_where_it_hangs() -> None:
    async def exchange() -> None:
        await (await soon(hybrid(echo, [Soon()], answer_seconds=0.01), b"body"))

    with pytest.raises(problems.Unavailable, match="no answer within") as late:
        asyncio.run(exchange())
    assert late.value.headers["Retry-After"] == "1"


def test_a_change_has_longer_with_a_long_body_and_as_long_as_it_takes_where_it_may_not_be_sent_again() -> None:
    async def exchange() -> None:
        application = hybrid(echo, [Soon()], limit=2**20, answer_seconds=0.0)
        long = await soon(application, bytes(2**20))
        unrepeatable = application.answer_soon(http_scope(method="POST"), b"")
        # Its time is over last, as it was asked for last.
        short = application.answer_soon(http_scope(method="PUT"), b"")
        assert isinstance(short, asyncio.Future)
        with pytest.raises(problems.Unavailable):
            await short
        assert isinstance(unrepeatable, asyncio.Future)
        assert (long.done(), unrepeatable.done()) == (False, False)

    asyncio.run(exchange())


def test_nothing_is_kept_of_a_change_that_was_answered() -> None:
    async def exchange() -> None:
        lane = Soon()
        application = hybrid(echo, [lane], answer_seconds=60)
        await soon(application, b"body")
        answered = weakref.ref(lane.answered[0])
        lane.answered.pop().set_result(DONE)
        await asyncio.sleep(0)
        gc.collect()
        assert answered() is None, application

    asyncio.run(exchange())


def test_draining_waits_for_a_change_and_answers_one_that_hangs_with_unavailable() -> None:
    async def exchange() -> list[Any]:
        lane = Soon()
        application = hybrid(echo, [lane])
        answers = [await soon(application) for _ in range(2)]
        asyncio.get_running_loop().call_soon(lane.answered[0].set_result, DONE)
        await application.drain(grace_seconds=0.01)
        return await asyncio.gather(*answers, return_exceptions=True)

    done, hanging = asyncio.run(exchange())
    assert done is DONE
    assert isinstance(hanging, problems.Unavailable)


@pytest.mark.parametrize(("error", "logged"), [(problems.Unauthenticated("No."), 0), (RuntimeError("A bug."), 1)])
def test_what_cannot_be_answered_at_once_goes_the_ordinary_way(
    error: Exception, logged: int, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse() -> None:
        raise error

    assert hybrid(echo, [AtOnce(refuse)]).at_once(http_scope()) is None
    assert len(caplog.records) == logged


@pytest.mark.parametrize("headers", [[], [(b"host", b"")]])
def test_http_1_0_need_not_name_a_host(headers: list[tuple[bytes, bytes]]) -> None:
    scope = http_scope(http_version="1.0", headers=headers)
    assert ask(hybrid(echo, hosts=Hosts(["localhost"])), scope).status == 201


@pytest.mark.parametrize("hosts", [(), (b"",), (b"10.1.2.3:8001",), (b"web_1",), (b"_",), (b"x:wq",), (b"[::1",)])
def test_a_balancer_that_asks_by_address_is_told_that_the_process_serves(hosts: tuple[bytes, ...]) -> None:
    application = hybrid(failing(AssertionError()), [health.lane], hosts=Hosts(["localhost"]))
    assert ask(application, http_scope("/healthz", headers=[(b"host", host) for host in hosts])).status == 200


def test_a_fault_of_the_application_is_a_problem_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    client = ask(hybrid(failing(ValueError("secret"))), http_scope("/path"))
    assert client.status == 500
    assert (b"content-type", b"application/problem+json") in client.headers
    assert "secret" not in client.body.decode()
    assert caplog.messages == ["GET /path failed"]


def test_a_problem_raised_in_a_lane_keeps_its_status_and_headers(caplog: pytest.LogCaptureFixture) -> None:
    async def native(scope: Scope, receive: Receive, send: Send) -> None:
        raise problems.Unauthenticated("Send a token.")

    client = ask(hybrid(echo, [lane_of(native)]), http_scope("/native"))
    assert client.status == 401
    assert (b"www-authenticate", b"Bearer") in client.headers
    assert caplog.messages == []


def test_a_lane_that_fails_to_choose_is_a_problem_too() -> None:
    def choose(scope: Scope) -> Handler | None:
        raise LookupError

    assert ask(hybrid(echo, [choose]), http_scope()).status == 500


def test_a_stream_is_sent_piece_by_piece() -> None:
    body = Body([b"a", b"b"], streaming=True)
    client = ask(hybrid(answering(body)), http_scope())
    assert [message.get("body") for message in client.received] == [None, b"a", b"b", b""]
    assert client.has_everything
    assert body.closed_in == "request-1"


def test_a_short_stream_of_known_length_is_sent_at_once() -> None:
    body = Body([b"a", b"b"], streaming=True)
    client = ask(hybrid(answering(body, ("Content-Length", "2"))), http_scope())
    assert [message.get("body") for message in client.received] == [None, b"ab"]


def test_the_answer_to_head_never_makes_the_pieces_of_a_stream() -> None:
    body = Endless()
    client = ask(hybrid(answering(body)), http_scope(method="HEAD"))
    assert client.has_everything
    assert body.made == 0
    assert body.is_closed


def test_a_stream_ends_when_its_client_is_gone() -> None:
    body = Endless()
    assert not ask(hybrid(answering(body)), http_scope(), stays=False).has_everything
    assert body.is_closed


def test_a_stream_that_fails_is_cut_off_and_not_ended(caplog: pytest.LogCaptureFixture) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"a"
        raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        ask(hybrid(answering(pieces())), http_scope())


def test_the_lifespan_begins_and_ends() -> None:
    client = ask(hybrid(echo), {"type": "lifespan"}, {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    assert [message["type"] for message in client.received] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


def test_another_kind_of_connection_is_refused() -> None:
    with pytest.raises(ValueError, match="webtransport"):
        ask(hybrid(echo), {"type": "webtransport"})


def test_a_websocket_is_refused_where_no_lane_takes_it() -> None:
    client = ask(hybrid(echo), {"type": "websocket", "path": "/x", "headers": []})

    assert [message["type"] for message in client.received] == ["websocket.close"]


def test_draining_waits_for_a_request_that_is_being_answered() -> None:
    begun, finish = threading.Event(), threading.Event()

    def slow(environ: dict[str, Any], start_response: StartResponse) -> Body:
        begun.set()
        finish.wait()
        return echo(environ, start_response)

    async def exchange() -> Client:
        application, client = hybrid(slow), Client()
        request = _begin(application, client)
        await asyncio.to_thread(begun.wait)
        drained = asyncio.ensure_future(application.drain(grace_seconds=60))
        finish.set()
        await asyncio.gather(request, drained)
        return client

    assert asyncio.run(exchange()).status == 201


def test_draining_answers_a_request_that_hangs_with_unavailable() -> None:
    never = threading.Event()

    def hanging(environ: dict[str, Any], start_response: StartResponse) -> Body:
        never.wait()
        return echo(environ, start_response)

    async def exchange() -> Client:
        application, client = hybrid(hanging), Client()
        request = _begin(application, client)
        await asyncio.sleep(0)
        await application.drain(grace_seconds=0.01)
        await request
        return client

    client = asyncio.run(exchange())
    never.set()
    assert client.status == 503
    assert client.has_everything


async def _hang(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await asyncio.Event().wait()


@pytest.mark.parametrize(("method", "path"), [("PUT", "/native"), ("DELETE", "/native"), ("POST", "/native/drain")])
def test_what_may_be_sent_again_is_answered_in_time_also_where_it_hangs(method: str, path: str) -> None:
    application = hybrid(echo, [lane_of(_hang, path)], answer_seconds=0.01, repeatable_posts=["/drain"])
    client = ask(application, http_scope(path, method=method), *request_of(b"one", b"two"))
    assert client.status == 503
    assert (b"retry-after", b"1") in client.headers
    assert client.has_everything


def test_a_long_body_has_longer_to_be_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.hybrid.BODY_BYTES_PER_SECOND", 10)
    application = hybrid(echo, [lane_of(_hang)], answer_seconds=0.01)
    client = ask(application, http_scope("/native", method="PUT"), *request_of(b"one", b"two"))
    assert client.status == 503
    assert json.loads(client.body)["detail"].startswith("There was no answer within 0.61 s")


def clocked(scenario: Callable[[ClockedLoop], Coroutine[Any, Any, Client]]) -> Client:
    with asyncio.Runner(loop_factory=ClockedLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, ClockedLoop)
        return runner.run(scenario(loop))


def test_a_body_that_comes_does_not_begin_the_time_anew() -> None:
    """The waits before it, such as for the token's holder, count too."""

    async def exchange(loop: ClockedLoop) -> Client:
        client = Client(*request_of(b"one"))

        async def wait_and_hang(scope: Scope, receive: Receive, send: Send) -> None:
            loop.ahead_seconds = 599.9
            await _hang(scope, receive, send)

        application = hybrid(echo, [lane_of(wait_and_hang)], answer_seconds=600)
        # Begun anew, it would last for ten minutes more.
        async with asyncio.timeout(600 + PATIENCE_SECONDS):
            await application(http_scope("/native", method="PUT"), client.receive, client.send)
        return client

    assert clocked(exchange).status == 503


def test_the_time_in_which_a_body_comes_is_not_that_of_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GRACE_SECONDS", "MOST_SECONDS"):
        monkeypatch.setattr(bodies, name, 600)

    async def exchange(loop: ClockedLoop) -> Client:
        body, client = iter(request_of(b"one", b"two")), Client()

        async def receive() -> Message:
            # Together longer than an answer may take.
            loop.ahead_seconds += 40
            return next(body)

        application = hybrid(echo, answer_seconds=60)
        await application(http_scope(method="PUT"), receive, client.send)
        return client

    client = clocked(exchange)
    assert client.status == 201
    assert client.body == b"PUT onetwo"


def test_draining_cuts_a_native_stream_at_once(caplog: pytest.LogCaptureFixture) -> None:
    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"event", "more_body": True})
        await receive()
        await receive()

    client = asyncio.run(_drained_while_streaming(hybrid(echo, [lane_of(stream)]), "/native"))
    assert client.body == b"event"
    assert not client.has_everything
    assert caplog.records == []


def test_draining_ends_a_stream_of_the_application() -> None:
    body = Endless()
    client = asyncio.run(_drained_while_streaming(hybrid(answering(body)), "/"))
    assert not client.has_everything


async def _drained_while_streaming(application: Hybrid, path: str) -> Client:
    client = Client()
    request = _begin(application, client, path)
    while not client.body:
        client.arrived.clear()
        await client.arrived.wait()
    await application.drain(grace_seconds=60)
    await request
    return client


def _begin(application: Hybrid, client: Client, path: str = "/") -> "asyncio.Task[None]":
    async def request() -> None:
        await application(http_scope(path), client.receive, client.send)

    return asyncio.create_task(request())


@pytest.fixture(autouse=True)
def _all_logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
