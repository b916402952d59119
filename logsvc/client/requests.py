"""Middleware for WSGI, ASGI and Django that puts the request's id on every record logged while it is answered.

The id comes from `X-Request-ID` where the caller sent a usable one, is made here otherwise, and is in the answer.
"""

import re
import secrets
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from . import context

FIELD = "request_id"
HEADER = "X-Request-ID"

_USABLE = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class WSGIRequestIds:
    """Flask: `app.wsgi_app = WSGIRequestIds(app.wsgi_app)`."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request_id = _usable(environ.get("HTTP_X_REQUEST_ID"))

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            return start_response(status, [*headers, (HEADER, request_id)], exc_info)

        with context.bound(**{FIELD: request_id}):
            return self._application(environ, start)


class ASGIRequestIds:
    """Starlette and FastAPI: `app.add_middleware(ASGIRequestIds)`."""

    def __init__(self, app: Callable[[Message, Receive, Send], Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(HEADER.lower().encode(), b"")
        request_id = _usable(given.decode("latin-1"))

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), (HEADER.lower().encode(), request_id.encode())]
                message = {**message, "headers": headers}
            await send(message)

        with context.bound(**{FIELD: request_id}):
            await self._app(scope, receive, send_with_id)


class DjangoRequestIds:
    """Django: "logsvc.client.requests.DjangoRequestIds", first in MIDDLEWARE."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self._get_response = get_response

    def __call__(self, request: Any) -> Any:
        request_id = _usable(request.headers.get(HEADER))
        with context.bound(**{FIELD: request_id}):
            response = self._get_response(request)
        response[HEADER] = request_id
        return response


def _usable(given: str | None) -> str:
    """The caller's id when it is short and harmless, else a new one."""
    return given if given and _USABLE.fullmatch(given) else secrets.token_hex(8)
