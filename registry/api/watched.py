"""`/metrics` and `/readyz`, which anybody may ask as often as they like: each is made at most once a second."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse

from config.hybrid import Handler, Receive, Scope, Send, respond
from config.problems import RawResponse
from config.threads import Threads
from registry.api.health import readyz
from registry.api.metrics import metrics

FRESH_SECONDS = 1.0
METHODS = ("GET", "HEAD")
View = Callable[[HttpRequest], HttpResponse]
VIEWS: Mapping[str, View] = {"/metrics": metrics, "/readyz": readyz}


class Lane:
    """Lives on one event loop. Of each address one answer is made at a time, for all who ask meanwhile."""

    def __init__(
        self, views: Mapping[str, View] = VIEWS, run: Callable[..., Awaitable[RawResponse]] | None = None
    ) -> None:
        self._views = views
        self._run = run or Threads(len(views)).run
        self._kept: dict[str, tuple[float, RawResponse]] = {}
        self._making: dict[str, asyncio.Task[RawResponse]] = {}

    def __call__(self, scope: Scope) -> Handler | None:
        return self._answer if scope["path"] in self._views and scope["method"] in METHODS else None

    def at_once(self, scope: Scope, *, has_waited: bool) -> RawResponse | None:
        """The answer of a moment ago, where there is one."""
        kept = self._kept.get(scope["path"])
        if kept is None or scope["method"] != "GET":
            return None
        made_at, answer = kept
        return answer if asyncio.get_running_loop().time() - made_at < FRESH_SECONDS else None

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        made_at, answer = self._kept.get(path, (0.0, None))
        if answer is None or asyncio.get_running_loop().time() - made_at >= FRESH_SECONDS:
            if path not in self._making:
                self._making[path] = asyncio.create_task(self._make(path))
            answer = await asyncio.shield(self._making[path])
        await respond(send, answer)

    async def _make(self, path: str) -> RawResponse:
        try:
            answer = await self._run(partial(_call, self._views[path]))
            self._kept[path] = (asyncio.get_running_loop().time(), answer)
            return answer
        finally:
            del self._making[path]


def _call(view: View) -> RawResponse:
    """The answer of a view, in a thread that may have lost its connection meanwhile."""
    close_old_connections()
    response: Any = view(HttpRequest())
    headers = tuple((name.lower().encode(), value.encode("latin-1")) for name, value in response.items())
    return RawResponse(status=response.status_code, headers=headers, body=response.content)


lane = Lane()
