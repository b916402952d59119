"""`/healthz`: this process serves. Answered before Django, so that it depends on nothing but the process.

What watches a service also gets its refusals here: without a token and without a form, CSRF protection would be the one
to answer.
"""

import json

from config.hybrid import Handler, Receive, Scope, Send, respond
from config.problems import MethodNotAllowed, RawResponse

_ALIVE = RawResponse(
    status=200,
    headers=((b"content-type", b"application/json"), (b"cache-control", b"no-store")),
    body=json.dumps({"status": "ok"}).encode(),
)


METHODS = ("GET", "HEAD")
WATCHED = ("/healthz", "/readyz", "/metrics")


def lane(scope: Scope) -> Handler | None:
    path = scope["path"]
    if path not in WATCHED:
        return None
    if scope["method"] not in METHODS:
        raise MethodNotAllowed(f"{path} takes GET and HEAD.", allowed=METHODS)
    return _healthz if path == "/healthz" else None


async def _healthz(scope: Scope, receive: Receive, send: Send) -> None:
    await respond(send, _ALIVE)
