"""The HTTP server of one process."""

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import uvicorn

from config.http.protocol import Application, StrictProtocol
from config.http.recognition import State
from config.http.websocket import StrictWebSocket

BACKLOG = 4096
TICK_SECONDS = 1.0
# What a WebSocket's client may send in one message: nothing is read of it here.
MOST_MESSAGE_BYTES = 64 * 1024


class Server(uvicorn.Server):
    """Serves an application until `stop`, and then until its connections are closed."""

    def __init__(self, application: Application, *, websockets: bool) -> None:
        config = uvicorn.Config(
            application,
            http=StrictProtocol,
            ws=StrictWebSocket if websockets else "none",
            ws_max_size=MOST_MESSAGE_BYTES,
            lifespan="off",
            interface="asgi3",
            # X-Forwarded-For is believed by what uses it, from the proxies that the settings name.
            proxy_headers=False,
            server_header=False,
            log_config=None,
            log_level="error",
            access_log=False,
            backlog=BACKLOG,
        )
        super().__init__(config)
        self.server_state = State()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Accept no new connection, and close each as soon as it is answered."""
        self.should_exit = True
        self._stopping.set()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to the process."""
        yield

    async def main_loop(self) -> None:
        loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            now = loop.time()
            for connection in list(self.server_state.connections):
                assert isinstance(connection, StrictProtocol | StrictWebSocket)
                connection.end_if_overdue(now)
            try:
                async with asyncio.timeout(TICK_SECONDS):
                    await self._stopping.wait()
            except TimeoutError:
                continue


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on the IP address; on `::` for IPv4 also. Raises OSError."""
    family: Any = socket.AF_INET6 if ":" in host else socket.AF_INET
    both = host == "::" and socket.has_dualstack_ipv6()
    return socket.create_server((host, port), family=family, backlog=BACKLOG, dualstack_ipv6=both)
