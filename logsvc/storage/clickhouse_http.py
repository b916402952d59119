"""ClickHouse's HTTP interface: statements in, rows of JSON out."""

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx2
import msgspec

from logsvc.storage.errors import Away, Busy, Full

# The codes of ClickHouse's errors (src/Common/ErrorCodes.cpp).
_UNKNOWN_TABLE, _UNKNOWN_DATABASE = 60, 81
_ERRORS: dict[int, type[Exception]] = {
    # TIMEOUT_EXCEEDED, TOO_SLOW, MEMORY_LIMIT_EXCEEDED.
    **dict.fromkeys((159, 160, 241), Busy),
    # NOT_ENOUGH_SPACE.
    243: Full,
    # TOO_MANY_SIMULTANEOUS_QUERIES, SOCKET_TIMEOUT, NETWORK_ERROR, TABLE_IS_READ_ONLY, TOO_MANY_PARTS.
    **dict.fromkeys((202, 209, 210, 242, 252), Away),
}
_CONNECT_SECONDS, _POOL_SIZE = 2.0, 20

_encode = msgspec.json.Encoder().encode_lines
_decode = msgspec.json.Decoder(list[Any]).decode_lines


class ClickhouseError(Exception):
    """ClickHouse refused a statement. `code` is ClickHouse's own, 0 where it gave none."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Missing(ClickhouseError):
    """The table or its database is not there yet."""


class Clickhouse:
    """The server and the database that a URL names, such as `http://user:password@host:8123/logs`."""

    def __init__(self, url: str, *, timeout_seconds: float) -> None:
        parts = urlsplit(url)
        self.database = parts.path.strip("/") or "default"
        self._origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._headers = {"X-ClickHouse-User": unquote(parts.username or "default")}
        if parts.password:
            self._headers["X-ClickHouse-Key"] = unquote(parts.password)
        self._timeout_seconds = timeout_seconds
        self._client = self._new_client()
        self._settings = {
            "max_execution_time": str(timeout_seconds),
            "output_format_json_quote_64bit_integers": "0",
            # An error that comes late is then the answer, and does not follow half of it.
            "wait_end_of_query": "1",
            # Records may be of any month since 2000.
            "max_partitions_per_insert_block": "0",
        }

    def disconnect(self) -> None:
        """Close idle connections; the next statement opens one."""
        self._client.close()
        self._client = self._new_client()

    def rows(self, statement: str) -> list[list[Any]]:
        """Raises Busy, Full, Away and ClickhouseError."""
        return _decode(self._post(f"{statement} FORMAT JSONCompactEachRow".encode()))

    def execute(self, statement: str, *, database: str | None = None) -> None:
        """Raises as `rows` does."""
        self._post(statement.encode(), database=database)

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Raises as `rows` does; after Away it is not known whether the rows were stored."""
        statement = f"INSERT INTO {table} ({', '.join(columns)}) FORMAT JSONCompactEachRow\n"
        self._post(statement.encode() + _encode(rows))

    def _new_client(self) -> httpx2.Client:
        return httpx2.Client(
            base_url=self._origin,
            headers=self._headers,
            # ClickHouse itself ends a statement in time; this is for a server that no longer answers.
            timeout=httpx2.Timeout(self._timeout_seconds + 5, connect=_CONNECT_SECONDS),
            limits=httpx2.Limits(max_connections=_POOL_SIZE),
            trust_env=False,
        )

    def _post(self, body: bytes, *, database: str | None = None) -> bytes:
        parameters = {**self._settings, "database": self.database if database is None else database}
        try:
            response = self._client.post("/", content=body, params=parameters)
        except httpx2.TransportError as error:
            raise Away from error
        if response.status_code == 200:
            return response.content
        code, message = int(response.headers.get("X-ClickHouse-Exception-Code", "0")), response.text[:2000]
        if code in _ERRORS:
            raise _ERRORS[code]() from ClickhouseError(code, message)
        if not code and response.status_code in (429, 502, 503, 504):
            raise Away from ClickhouseError(code, message)
        raise (Missing if code in (_UNKNOWN_TABLE, _UNKNOWN_DATABASE) else ClickhouseError)(code, message)


def quoted(text: str) -> str:
    """A literal of ClickHouse's."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\0", "\\0")
    return f"'{escaped}'"
