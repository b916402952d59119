"""Uvicorn's WebSockets, made strict with strangers."""

import asyncio
from contextlib import suppress
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode

from config.http.peers import client_of

# From the end of the conversation until its client has read it.
CLOSING_SECONDS = 30.0
# How much a client that reads nothing may be sent besides the application's messages, which wait until it reads.
MOST_UNREAD_BYTES = 1024 * 1024


class StrictWebSocket(WebSocketsSansIOProtocol):
    def __init__(self, *arguments: Any, **members: Any) -> None:
        super().__init__(*arguments, **members)
        self._open_at = self.loop.time()

    def end_if_overdue(self, now: float) -> None:
        """Cut a connection whose client does not read the end."""
        if not (self.close_sent or self.transport.is_closing()):
            self._open_at = now
        elif now - self._open_at > CLOSING_SECONDS:
            self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.client = client_of(self.transport)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self.handshake_initiated:
            # The head, which comes whole, is longer than the library takes, and this is its answer.
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    async def send(self, message: Any) -> None:
        """As over HTTP, drop what is sent to a client that is gone, or after the end."""
        await self.writable.wait()
        if not (self.disconnected or self.close_sent or self.transport.is_closing()):
            with suppress(ClientDisconnected):
                await super().send(message)

    def handle_ping(self) -> None:
        super().handle_ping()
        if self.transport.get_write_buffer_size() > MOST_UNREAD_BYTES:
            self.transport.abort()

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text":
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.conn.fail(CloseCode.INVALID_DATA)
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()
