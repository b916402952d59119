"""A server that answers as real ones oddly do; the path names the way."""

import asyncio
from dataclasses import dataclass
from itertools import repeat

from tests.registry.outbound.peers import Handle, read_request

OK = b"HTTP/1.1 200 OK\r\n"
SHORT = OK + b"content-length: 2\r\n\r\nok"


@dataclass(frozen=True, kw_only=True)
class Way:
    """An answer, and whether the connection then waits for the next request, ends, or stays open in silence."""

    sent: bytes
    then: str = "next"
    # Sent again and again after that, until the client goes.
    endless: bytes = b""


def _status(line: str, headers: str = "content-length: 0\r\n") -> Way:
    return Way(sent=f"HTTP/1.1 {line}\r\n{headers}\r\n".encode())


WAYS: dict[str, Way] = {
    "200": Way(sent=SHORT),
    "204": _status("204 No Content", ""),
    "206": Way(sent=SHORT.replace(b"200 OK", b"206 Partial Content")),
    "301": _status("301 Moved Permanently", "location: /200\r\ncontent-length: 0\r\n"),
    "302": _status("302 Found", "location: /200\r\ncontent-length: 0\r\n"),
    "304": _status("304 Not Modified", ""),
    "307": _status("307 Temporary Redirect", "location: /200\r\ncontent-length: 0\r\n"),
    "401": _status("401 Unauthorized", 'www-authenticate: Basic realm="x"\r\ncontent-length: 0\r\n'),
    "410": _status("410 Gone"),
    "429": _status("429 Too Many Requests", "retry-after: 3600\r\ncontent-length: 0\r\n"),
    "503": _status("503 Service Unavailable"),
    "no reason": Way(sent=SHORT.replace(b" OK", b"")),
    "HTTP/1.0 without a length": Way(sent=b"HTTP/1.0 200 OK\r\n\r\nok", then="end"),
    "HTTP/1.0 that says it stays": Way(sent=b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\n\r\nok", then="end"),
    "says it closes and stays": Way(sent=SHORT.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"), then="hold"),
    "chunks with a trailer": Way(
        sent=OK + b"transfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n2;a=b\r\nok\r\n0\r\nx-sum: 1\r\n\r\n"
    ),
    "chunks without an end": Way(sent=OK + b"transfer-encoding: chunked\r\n\r\n2\r\nok\r\n", then="hold"),
    "less than it said": Way(sent=OK + b"content-length: 100\r\n\r\nok", then="end"),
    "100 first": Way(sent=b"HTTP/1.1 100 Continue\r\n\r\n" + SHORT),
    "103 first": Way(sent=b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + SHORT),
    "two lengths": Way(sent=OK + b"content-length: 2\r\ncontent-length: 3\r\n\r\nok", then="end"),
    "a length and chunks": Way(
        sent=OK + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", then="end"
    ),
    "bare line feeds": Way(sent=b"HTTP/1.1 200 OK\ncontent-length: 2\n\nok", then="end"),
    "another protocol": Way(sent=b"SSH-2.0-OpenSSH_9.6\r\n", then="end"),
    "nothing": Way(sent=b"", then="end"),
    "a huge header": Way(sent=OK + b"x: " + b"a" * 1_000_000 + b"\r\ncontent-length: 0\r\n\r\n", then="end"),
    "a body with NUL": Way(sent=b"HTTP/1.1 500 Oops\r\ncontent-length: 6\r\n\r\na\x00b\xff\xd8c"),
    "a reason in colour": _status("500 \x1b[31mred\x1b[0m"),
    "a flood": Way(sent=OK + b"\r\n", endless=b"x" * 65_536),
    "silence": Way(sent=b"", then="hold"),
}


def address(way: str) -> str:
    """The path at which a server answers in this way."""
    return f"/{list(WAYS).index(way)}"


def serve_oddly(requests: list[bytes]) -> Handle:
    ways = {address(name).encode(): way for name, way in WAYS.items()}

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await read_request(reader)
            requests.append(request)
            way = ways[request.split(b" ")[1]]
            writer.write(way.sent)
            for piece in repeat(way.endless) if way.endless else ():
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            if way.then == "hold":
                await reader.read()
            if way.then != "next":
                return

    return handle
