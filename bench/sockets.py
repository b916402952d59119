"""HTTP over bare sockets, for clients that cost the machine little beside the server that they measure."""

import asyncio
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    head: bytes
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    """A connection that is kept, and opened anew when the server ends it, as some do after so many answers."""

    def __init__(self, url: str, token: str = "") -> None:
        self._url = url
        authorization = f"Authorization: Bearer {token}\r\n" if token else ""
        self._headers = f"Host: localhost\r\nAccept: application/json\r\n{authorization}"

    async def open(self) -> None:
        self._reader, self._writer = await connect(self._url)

    async def send(self, method: str, path: str, body: object = None) -> Answer:
        """Raise SystemExit for anything but a 2xx."""
        content = b"" if body is None else json.dumps(body).encode()
        kind = "Content-Type: application/json\r\n" if content else ""
        head = f"{method} {path} HTTP/1.1\r\n{self._headers}{kind}Content-Length: {len(content)}\r\n\r\n"
        self._writer.write(head.encode() + content)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        if not answer.startswith(b"http/1.1 2"):
            raise SystemExit(f"{method} {path}: {answer.decode()}")
        body = await self._read_body(answer)
        if b"\r\nconnection: close" in answer:
            self.close()
            await self.open()
        return Answer(answer, body)

    async def _read_body(self, head: bytes) -> bytes:
        if b"content-length:" in head:
            return await self._reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
        if b"transfer-encoding: chunked" not in head:
            return b""
        chunks = []
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            chunks.append(await self._reader.readexactly(size))
            await self._reader.readexactly(2)
        await self._reader.readexactly(2)
        return b"".join(chunks)

    def close(self) -> None:
        self._writer.close()


async def connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    return await asyncio.open_connection(parts.hostname, parts.port, limit=1024 * 1024)


def request(path: str, token: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


async def read_answer(reader: asyncio.StreamReader) -> bytes:
    """Its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise SystemExit(head.decode())
    length = re.search(rb"content-length: (\d+)", head)
    assert length
    return await reader.readexactly(int(length[1]))
