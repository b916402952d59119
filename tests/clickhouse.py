"""Run Python with ClickHouse as the log service's store: `python -m tests.clickhouse -m pytest tests/logsvc`.

The engine is ClickHouse's own, from the wheel of chdb-core; the HTTP interface before it is this module's, as no
package registry has a server of this decade. It ends with the command.
"""

import importlib
import os
import re
import subprocess
import sys
import tempfile
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

# Said by the client of every request, and of no meaning to an engine without a server.
_SERVERS_OWN = {"database", "query", "user", "password", "wait_end_of_query"}


class Handler(BaseHTTPRequestHandler):
    """Answers as https://clickhouse.com/docs/interfaces/http says: a statement is the body, settings are parameters."""

    protocol_version = "HTTP/1.1"
    engine: Any
    lock = threading.Lock()

    def do_POST(self) -> None:
        parameters = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = zlib.decompress(body, wbits=31)
        settings = [f"{name} = '{value}'" for name, value in parameters.items() if name not in _SERVERS_OWN]
        try:
            with self.lock:
                self.engine.query(f"USE `{parameters.get('database') or 'default'}`")
                if settings:
                    self.engine.query(f"SET {', '.join(settings)}")
                answer = self.engine.query(body.decode(), "TabSeparated").bytes()
        except RuntimeError as error:
            code = re.search(r"Code: (\d+)", str(error))
            self._respond(500, str(error).encode(), code[1] if code else "")
        else:
            self._respond(200, answer)

    def _respond(self, status: int, body: bytes, code: str = "") -> None:
        self.send_response(status)
        if code:
            self.send_header("X-ClickHouse-Exception-Code", code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        # The client may be gone.
        with suppress(BrokenPipeError):
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def server() -> Iterator[str]:
    """The URL of a database on a server that lives as long as the context."""
    # By name, as only CLICKHOUSE=yes installs it.
    engine = importlib.import_module("chdb.session")
    with tempfile.TemporaryDirectory(prefix="rollcall-clickhouse-") as directory:
        Handler.engine = engine.Session(directory)
        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
            threading.Thread(target=listener.serve_forever, daemon=True).start()
            try:
                yield f"http://127.0.0.1:{listener.server_address[1]}/logs"
            finally:
                listener.shutdown()
                Handler.engine.close()


def main() -> int:
    with server() as url:
        environment = {**os.environ, "LOGSVC_CLICKHOUSE_URL": url}
        return subprocess.run([sys.executable, *sys.argv[1:]], env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
