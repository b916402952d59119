"""`/healthz`: this process serves. Answered before Django, so that it tells of the process and of nothing else."""

import json

from config.hybrid import Handler, Receive, Scope, Send, respond
from config.problems import RawResponse

_ALIVE = RawResponse(
    status=200,
    headers=((b"content-type", b"application/json"), (b"cache-control", b"no-store")),
    body=json.dumps({"status": "ok"}).encode(),
)


def lane(scope: Scope) -> Handler | None:
    return _healthz if scope["path"] == "/healthz" and scope["method"] in ("GET", "HEAD") else None


async def _healthz(scope: Scope, receive: Receive, send: Send) -> None:
    await respond(send, _ALIVE)
