"""The receiver of the registry's webhooks for Starlette and FastAPI: `app.router.routes.append(route(me))`."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import receiver
from .membership import Member


def route(me: Member, path: str = "/rollcall/notify") -> Route:
    """Receives webhooks; mount it at the registration's `notify_url`."""

    async def notify(request: Request) -> Response:
        answer = await _answer(me, request)
        return Response(answer.body, status_code=answer.status, headers=answer.headers)

    return Route(path, notify, methods=["POST"], name="rollcall-notify", include_in_schema=False)


async def _answer(me: Member, request: Request) -> receiver.Answer:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > receiver.BODY_LIMIT_BYTES:
            return receiver.too_large()
    # The snapshot may be written to disk: not on the event loop.
    return await run_in_threadpool(me.receive, request.headers, bytes(body))
