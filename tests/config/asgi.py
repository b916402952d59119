"""A server's side of one ASGI exchange, without a server."""

import asyncio
from collections.abc import Iterable
from typing import Any

from config.exchange import WSGIApplication
from config.hybrid import Hybrid, Lane, Message


def http_scope(path: str = "/", **members: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [],
        "server": ("127.0.0.1", "8000"),
        "client": ("127.0.0.1", "50000"),
        **members,
    }


class Client:
    """Sends a request's messages, keeps the answer's, and then is silent or gone."""

    def __init__(self, *messages: Message, stays: bool = True) -> None:
        self._incoming = list(messages) or [{"type": "http.request", "body": b"", "more_body": False}]
        self._stays = stays
        self.gone = asyncio.Event()
        self.received: list[Message] = []
        self.arrived = asyncio.Event()
        self.answered_soon = False

    async def receive(self) -> Message:
        if self._incoming:
            return self._incoming.pop(0)
        if self._stays:
            await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.received.append(message)
        self.arrived.set()

    @property
    def unread(self) -> int:
        """The number of the request's messages that were not received."""
        return len(self._incoming)

    @property
    def status(self) -> int:
        return int(self.received[0]["status"])

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return list(self.received[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.received[1:])

    @property
    def has_everything(self) -> bool:
        """Whether the answer's last message came."""
        return bool(self.received) and not self.received[-1].get(
            "more_body", self.received[-1]["type"].endswith("start")
        )


def hybrid(
    application: WSGIApplication, lanes: Iterable[Lane] = (), *, threads: int = 1, limit: int = 100, **options: Any
) -> Hybrid:
    return Hybrid(application, lanes=list(lanes), threads=threads, body_limit_bytes=limit, **options)


def ask(application: Hybrid, scope: dict[str, Any], *messages: Message, stays: bool = True) -> Client:
    """The client after the whole exchange."""

    async def exchange() -> Client:
        client = Client(*messages, stays=stays)
        await application(scope, client.receive, client.send)
        return client

    return asyncio.run(exchange())
