"""One ASGI application with lanes: what answers before Django, and Django's WSGI handler in threads for the rest.

Django's own ASGI handler answers about a tenth as many requests a second as its WSGI handler, and a WSGI server cannot
hold thousands of open streams; docs/decisions/0001-serving.md has the comparison, bench/bench_serving.py repeats it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Protocol, Self, runtime_checkable

from config import bodies, problems, rest
from config.bodies import Buffer, Intake
from config.exchange import Exchange, WSGIApplication
from config.headers import header
from config.hosts import Hosts
from config.stalls import Attended, Stalls
from config.threads import Abandoned, Threads
from config.turns import Caller

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Handler = Callable[[Scope, Receive, Send], Awaitable[None]]
# Given a request's scope, a lane returns what answers it, or None to leave it to the next one. Sending to a client
# that is gone raises nothing: a handler that streams watches `receive` for the `http.disconnect`.
Lane = Callable[[Scope], Handler | None]


@runtime_checkable
class QuickLane(Protocol):
    """A lane that can answer some requests without a task."""

    def __call__(self, scope: Scope) -> Handler | None: ...

    def at_once(self, scope: Scope, *, has_waited: bool) -> "problems.RawResponse | asyncio.Future[Any] | None": ...


@runtime_checkable
class PromptLane(Protocol):
    """A lane that can answer some changes without a task."""

    def __call__(self, scope: Scope) -> Handler | None: ...

    def answer_soon(self, scope: Scope, body: bytes) -> "asyncio.Future[problems.RawResponse] | None": ...


# Called before Django's lane reads a body; returns whether the token is known. Raises the problem to answer instead.
Admission = Callable[[Scope], Awaitable[bool]]
# The scope's member that holds the request's part of the buffer.
INTAKE = "rollcall.intake"

# Methods that change nothing.
SAFE = ("GET", "HEAD", "OPTIONS")
# Methods that change something, and may be sent again by a client that got no answer.
REPEATABLE = ("PUT", "DELETE")
# The time limit grows with the size of the body, which has more to store: 10,000 registrations are about 3 MB.
BODY_BYTES_PER_SECOND = 200_000
STOPPING = "This instance of the service is stopping: ask again, or ask another."

logger = logging.getLogger(__name__)


class Hybrid:
    def __init__(
        self,
        application: WSGIApplication,
        *,
        lanes: Sequence[Lane],
        websocket_lanes: Sequence[Lane] = (),
        threads: int,
        body_limit_bytes: int,
        buffer_bytes: int = 64 * 1024 * 1024,
        hosts: Hosts | None = None,
        admission: Admission | None = None,
        answer_seconds: float | None = None,
        repeatable_posts: Sequence[str] = (),
        on_problem: Callable[[Scope, problems.Problem], None] = lambda scope, problem: None,
        stalls: Stalls | None = None,
        caller_of: Callable[[Scope], Caller] = lambda scope: Caller("", _token(scope)),
    ) -> None:
        self._application = application
        self._lanes = tuple(lanes)
        self._quick = [lane.at_once for lane in lanes if isinstance(lane, QuickLane)]
        self._prompt = [lane.answer_soon for lane in lanes if isinstance(lane, PromptLane)]
        self._websocket_lanes = tuple(websocket_lanes)
        self._conversations: set[asyncio.Task[Any]] = set()
        # One caller's slow requests leave some to all others.
        self._threads = Threads(threads, most_of_one=max(1, threads * 3 // 4))
        self._caller_of = caller_of
        self._body_limit_bytes = body_limit_bytes
        self._buffer = Buffer(buffer_bytes)
        self._hosts = hosts
        self._admission = admission
        self._answer_seconds = answer_seconds
        self._repeatable_posts = tuple(repeatable_posts)
        self._on_problem = on_problem
        self._stalls = stalls or Stalls()
        self._answers: dict[asyncio.Task[Any], _Answer] = {}
        self._changes: set[asyncio.Future[problems.RawResponse]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._stalls.watch()
        if scope["type"] == "lifespan":
            message: Message = {}
            while message.get("type") != "lifespan.shutdown":
                message = await receive()
                await send({"type": f"{message['type']}.complete"})
            return
        if scope["type"] == "websocket":
            await self._converse(scope, receive, send)
            return
        if scope["type"] != "http":
            raise ValueError(f"no handler for a {scope['type']} connection")
        task = asyncio.current_task()
        assert task is not None
        answer = self._answers[task] = _Answer(send)
        try:
            await self._respond(scope, receive, answer)
        finally:
            del self._answers[task]

    def at_once(self, scope: Scope, *, has_waited: bool = False) -> "problems.RawResponse | asyncio.Future[Any] | None":
        """The answer to a GET without a body that a lane can give without a task; see config/http/protocol.py.

        Where there is none, as for all that is to be refused, the request goes the ordinary way, and what is to be
        noted of it is noted there.
        """
        if self._hosts is not None and not self._hosts.knows(scope):
            return None
        try:
            for answer in self._quick:
                response = answer(scope, has_waited=has_waited)
                if response is not None:
                    return response
        except problems.Problem:
            pass
        except Exception as error:
            logger.error("%s %s cannot be answered at once", scope["method"], scope["path"], exc_info=error)
        return None

    def answer_soon(self, scope: Scope, body: bytes) -> "problems.RawResponse | asyncio.Future[Any] | None":
        """The answer to a change, whose whole body has come, that a lane can give without a task; else as `at_once`."""
        if self._stalls.is_recent() or (self._hosts is not None and not self._hosts.knows(scope)):
            return None
        if len(body) > self._body_limit_bytes or not self._buffer.has_room(len(body), token=_token(scope)):
            return None
        try:
            for answer in self._prompt:
                answered = answer(scope, body)
                if answered is not None:
                    self._expect(answered, scope, size=len(body))
                    return answered
        except Exception as error:
            return self.refusal(scope, error)
        return None

    def refusal(self, scope: Scope, error: Exception) -> problems.RawResponse:
        """The answer to a request that failed so."""
        problem = _problem(scope, error)
        self._on_problem(scope, problem)
        return problem.response()

    def _expect(self, answered: "asyncio.Future[problems.RawResponse]", scope: Scope, *, size: int) -> None:
        """Answer in time where the change may be sent again, and keep its body's share of the buffer until then."""
        intake = Intake(self._buffer, is_anonymous=False, token=_token(scope))
        intake.take(size)
        self._changes.add(answered)
        timer = None
        if self._answer_seconds is not None and self._is_repeatable(scope):
            seconds = self._answer_seconds + size / BODY_BYTES_PER_SECOND
            timer = answered.get_loop().call_later(seconds, _give_up, answered, seconds)

        def end(_: "asyncio.Future[problems.RawResponse]") -> None:
            intake.release()
            self._changes.discard(answered)
            if timer is not None:
                timer.cancel()

        answered.add_done_callback(end)

    async def drain(self, *, grace_seconds: float) -> None:
        """End what is open: streams at once, other requests when they are answered or their time is over."""
        for conversation in self._conversations:
            conversation.cancel()
        for task, answer in self._answers.items():
            if answer.streams:
                task.cancel()
        if self._answers or self._changes:
            await asyncio.wait([*self._answers, *self._changes], timeout=grace_seconds)
        for task in self._answers:
            task.cancel()
        for answered in self._changes:
            if not answered.done():
                answered.set_exception(problems.Unavailable(STOPPING))

    async def _converse(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a WebSocket to the lane that takes it. A refusal before it is accepted is answered with 403."""
        task = asyncio.current_task()
        assert task is not None
        self._conversations.add(task)
        try:
            if self._hosts is not None:
                self._hosts.check(scope)
            handler = next((found for lane in self._websocket_lanes if (found := lane(scope))), None)
            if handler is None:
                raise problems.NotFound("There is no WebSocket here.")
            await handler(scope, receive, send)
        except Abandoned:
            return
        except asyncio.CancelledError:
            await send({"type": "websocket.close", "code": 1001})
        except Exception as error:
            problem = _problem({**scope, "method": "WEBSOCKET"}, error)
            await send({"type": "websocket.close", "code": 1008, "reason": problem.detail[:100]})
        finally:
            self._conversations.discard(task)

    async def _respond(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        # A lane that reads a body has checked the token first.
        scope[INTAKE] = Intake(self._buffer, is_anonymous=False, token=_token(scope))
        attended: Attended | None = None
        try:
            if scope["method"] not in SAFE and self._stalls.is_recent():
                receive = attended = Attended(receive)
                scope.pop(bodies.WHOLE, None)
                if not bodies.has_body(scope):
                    await attended.begin()
            if self._hosts is not None:
                self._hosts.check(scope)
            handler = None
            for lane in self._lanes:
                handler = lane(scope)
                if handler is not None:
                    break
            handler = handler or self._django
            if self._answer_seconds is not None and self._is_repeatable(scope):
                async with _Deadline(self._answer_seconds, receive) as deadline:
                    await handler(scope, deadline.receive, answer.send)
            else:
                await handler(scope, receive, answer.send)
        except Abandoned:
            return
        except asyncio.CancelledError:
            if not answer.started:
                await respond(answer.send, problems.Unavailable(STOPPING).response())
        except Exception as error:
            if answer.started:
                # The server then cuts the connection, so that the client notices that the answer is incomplete.
                raise
            await respond(answer.send, self.refusal(scope, error))
        finally:
            scope[INTAKE].release()
            if attended is not None:
                attended.end()

    def _is_repeatable(self, scope: Scope) -> bool:
        method = scope["method"]
        return method in REPEATABLE or (method == "POST" and scope["path"].endswith(self._repeatable_posts))

    async def _django(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._admission is not None and bodies.has_body(scope):
            is_known = await self._admission(scope)
            scope[INTAKE] = Intake(self._buffer, is_anonymous=not is_known, token=_token(scope))
        body = await read_body(scope, receive, limit_bytes=self._body_limit_bytes)
        exchange = Exchange(self._application, scope, body, receive, send)
        try:
            whole = await self._threads.run(exchange.run, caller=self._caller_of(scope))
        finally:
            exchange.end()
        if whole is not None:
            await exchange.start()
            await send({"type": "http.response.body", "body": whole})


class _Answer:
    """A request's `send`, which notes whether an answer has started and whether it streams."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False
        self.streams = False

    def send(self, message: Message) -> Awaitable[None]:
        self.started = True
        self.streams = message.get("more_body", False)
        return self._send(message)


def _token(scope: Scope) -> bytes:
    """The token of a request, as it was sent; empty where it has none."""
    return header(scope, b"authorization").partition(b" ")[2].strip()


async def read_body(scope: Scope, receive: Receive, *, limit_bytes: int) -> bytes:
    """The request's whole body, for a lane that has authenticated the request; see config/bodies.py."""
    return await bodies.read(scope, receive, limit_bytes=limit_bytes, intake=scope.get(INTAKE))


class _Deadline:
    """The time by which a request is to be answered, of which none passes while its body comes.

    A longer body has longer: what is to be stored for it takes time also where nothing hangs. One timer, which looks
    whether the time is really over, costs less than moving it for each part of a body.
    """

    def __init__(self, seconds: float, receive: Receive) -> None:
        self.allowed_seconds = seconds
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._until = self._loop.time() + seconds
        self._asked_at: float | None = None
        self._has_come = False
        self._timeout = asyncio.timeout(None)
        self._timer = self._loop.call_at(self._until, self._look)

    async def receive(self) -> Message:
        if self._has_come:
            return await self._receive()
        self._asked_at = self._loop.time()
        message = await self._receive()
        more_seconds = len(message.get("body", b"")) / BODY_BYTES_PER_SECOND
        self.allowed_seconds += more_seconds
        self._until += self._loop.time() - self._asked_at + more_seconds
        self._asked_at = None
        self._has_come = not message.get("more_body", False)
        return message

    def _look(self) -> None:
        now = self._loop.time()
        left_seconds = self._until - (now if self._asked_at is None else self._asked_at)
        if left_seconds > 0:
            self._timer = self._loop.call_at(now + left_seconds, self._look)
        else:
            self._timeout.reschedule(now)

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        return self

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> None:
        self._timer.cancel()
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError as late:
            raise _late(self.allowed_seconds) from late


def _give_up(answered: "asyncio.Future[Any]", seconds: float) -> None:
    if not answered.done():
        answered.set_exception(_late(seconds))


def _late(seconds: float) -> problems.Unavailable:
    late = problems.Unavailable(f"There was no answer within {seconds:.3g} s, and it may come to pass yet: ask again.")
    late.headers["Retry-After"] = "1"
    return late


async def respond(send: Send, response: problems.RawResponse) -> None:
    """Send a whole answer from a lane."""
    headers = [*response.headers, (b"content-length", b"%d" % response.length)]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body, "more_body": bool(response.rest)})
    if response.rest:
        await send({"type": "http.response.body", "body": response.rest})


def _problem(scope: Scope, error: Exception) -> problems.Problem:
    foreseen = rest.from_exception(error)
    if foreseen is not None:
        return foreseen
    logger.error("%s %s failed", scope["method"], scope["path"], exc_info=error)
    return problems.InternalError("This is a fault of the service, not of the request; its log says more.")
