"""One ASGI application with lanes: what answers before Django, and Django's WSGI handler in threads for the rest.

Django's own ASGI handler answers about a tenth as many requests a second as its WSGI handler, and a WSGI server cannot
hold thousands of open streams; docs/decisions/0001-serving.md has the comparison, bench/bench_serving.py repeats it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from config import problems
from config.exchange import Exchange, WSGIApplication
from config.threads import Abandoned, Threads

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Handler = Callable[[Scope, Receive, Send], Awaitable[None]]
# Given a request's scope, a lane returns what answers it, or None to leave it to the next one. Sending to a client
# that is gone raises nothing: a handler that streams watches `receive` for the `http.disconnect`.
Lane = Callable[[Scope], Handler | None]

STOPPING = "This instance of the service is stopping: ask again, or ask another."

logger = logging.getLogger(__name__)


class Hybrid:
    def __init__(
        self,
        application: WSGIApplication,
        *,
        lanes: Sequence[Lane],
        threads: int,
        body_limit_bytes: int,
        on_problem: Callable[[Scope, problems.Problem], None] = lambda scope, problem: None,
    ) -> None:
        self._application = application
        self._lanes = tuple(lanes)
        self._threads = Threads(threads)
        self._body_limit_bytes = body_limit_bytes
        self._on_problem = on_problem
        self._answers: dict[asyncio.Task[Any], _Answer] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
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

    async def drain(self, *, grace_seconds: float) -> None:
        """End what is open: streams at once, other requests when they are answered or their time is over."""
        for task, answer in self._answers.items():
            if answer.streams:
                task.cancel()
        if self._answers:
            await asyncio.wait(list(self._answers), timeout=grace_seconds)
        for task in self._answers:
            task.cancel()

    async def _respond(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        try:
            await self._handler(scope)(scope, receive, answer.send)
        except Abandoned:
            return
        except asyncio.CancelledError:
            if not answer.started:
                await respond(answer.send, problems.Unavailable(STOPPING).response())
        except Exception as error:
            if answer.started:
                # The server cuts the connection, so that nobody takes the part that was sent for the whole.
                raise
            problem = _problem(scope, error)
            self._on_problem(scope, problem)
            await respond(answer.send, problem.response())

    def _handler(self, scope: Scope) -> Handler:
        for lane in self._lanes:
            handler = lane(scope)
            if handler is not None:
                return handler
        return self._django

    async def _django(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(scope, receive, limit_bytes=self._body_limit_bytes)
        exchange = Exchange(self._application, scope, body, receive, send)
        try:
            whole = await self._threads.run(exchange.run)
        finally:
            exchange.end()
        if whole is not None:
            await exchange.start()
            await send({"type": "http.response.body", "body": whole})


class _Answer:
    """A request's `send`, and what it has been used for."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False
        self.streams = False

    def send(self, message: Message) -> Awaitable[None]:
        self.started = True
        self.streams = message.get("more_body", False)
        return self._send(message)


async def read_body(scope: Scope, receive: Receive, *, limit_bytes: int) -> bytes:
    """The request's whole body. Raises BodyTooLarge, and Abandoned when only a part of it came."""
    declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if declared.isdigit() and int(declared) > limit_bytes:
        raise problems.BodyTooLarge(limit_bytes)
    chunks, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Abandoned
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit_bytes:
            raise problems.BodyTooLarge(limit_bytes)
        more = message.get("more_body", False)
    return b"".join(chunks)


async def respond(send: Send, response: problems.RawResponse) -> None:
    """Send a whole answer from a lane."""
    headers = [*response.headers, (b"content-length", str(len(response.body)).encode())]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _problem(scope: Scope, error: Exception) -> problems.Problem:
    foreseen = problems.from_exception(error)
    if foreseen is not None:
        return foreseen
    logger.error("%s %s failed", scope["method"], scope["path"], exc_info=error)
    return problems.InternalError("This is a fault of the service, not of the request; its log says more.")
