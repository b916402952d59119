"""The log service as a process: killed under load, sent to by the real OpenTelemetry SDK, and told to stop."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource

from tests import forked, preparing
from tests.logsvc.factories import PAST_NS, ndjson
from tests.system.running import MANAGE, REQUEST_SECONDS, SETTLED_SECONDS, environment, free_ports
from tests.waiting import until

pytestmark = pytest.mark.system


class Server:
    def __init__(self, directory: Path) -> None:
        self._directory = directory
        ports = free_ports()
        self._environment = environment(directory, ports) | {
            "LOGSVC_TOKEN_RECORDS_PER_SECOND": "0",
            "ROLLCALL_TOKEN_REQUESTS_PER_SECOND": "0",
        }
        self.url = f"http://127.0.0.1:{ports['logsvc']}"
        token = preparing.prepare("logsvc", "log:read", "log:write", environment=self._environment)
        self.headers = {"Authorization": f"Bearer {token}"}

    def start(self) -> None:
        self.process = forked.Program([str(MANAGE), "logsvc", "serve"], env=self._environment)
        until(lambda: httpx2.get(f"{self.url}/healthz").status_code == 200, seconds=SETTLED_SECONDS)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def found(self, query: str) -> list[dict[str, Any]]:
        answer = httpx2.get(
            f"{self.url}/api/v1/logs",
            params={"q": query, "limit": 1000},
            headers=self.headers,
            timeout=REQUEST_SECONDS,
        )
        assert answer.status_code == 200, answer.text
        records: list[dict[str, Any]] = answer.json()["records"]
        return records

    @property
    def database(self) -> Path:
        return self._directory / "logsvc.sqlite3"


# The first test counts every record that there is, and leaves a server that was started anew to those after it.
@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("logsvc"))
    made.start()
    yield made
    made.kill()


class Sender(threading.Thread):
    """Sends batches until each is acknowledged, as clients with a spool do; counts what was."""

    def __init__(self, server: Server, stop: threading.Event) -> None:
        super().__init__()
        self._server, self._is_over = server, stop
        self.sent: list[str] = []
        self.acknowledged: list[str] = []

    def run(self) -> None:
        # A pause shorter than an answer takes: there is always a batch under way, and none too many to count.
        while not self._is_over.wait(0.01):
            uids = [uuid4().hex for _ in range(200)]
            body = ndjson(*({"message": f"word{number % 7} of {uid}", "uid": uid} for number, uid in enumerate(uids)))
            self.sent += uids
            until(lambda: self._is_stored(body), seconds=SETTLED_SECONDS)  # noqa: B023 -- called within this turn alone
            self.acknowledged += uids

    def _is_stored(self, body: bytes) -> bool:
        headers = {**self._server.headers, "Content-Type": "application/x-ndjson"}
        answer = httpx2.post(f"{self._server.url}/api/v1/logs", content=body, headers=headers, timeout=REQUEST_SECONDS)
        return answer.status_code == 200 and answer.json()["accepted"] == 200


def test_what_was_acknowledged_is_there_exactly_once_after_kill_9_under_load(server: Server) -> None:
    stop = threading.Event()
    senders = [Sender(server, stop) for _ in range(3)]
    for sender in senders:
        sender.start()
    for batches in (2, 4):
        until(lambda: sum(len(sender.acknowledged) for sender in senders) > batches * 600, seconds=SETTLED_SECONDS)  # noqa: B023 -- as above
        server.kill()
        server.start()
    stop.set()
    for sender in senders:
        sender.join()

    with closing(sqlite3.connect(f"file:{server.database}?mode=ro", uri=True)) as database:
        stored = [uid.hex() for (uid,) in database.execute("SELECT uid FROM logsvc_log")]
        counted = database.execute("SELECT sum(records) FROM logsvc_count WHERE width = 60").fetchone()[0]
        indexed = database.execute(
            "SELECT count(*) FROM logsvc_text WHERE logsvc_text MATCH 'words:word0 OR words:word1 OR words:word2 OR"
            " words:word3 OR words:word4 OR words:word5 OR words:word6'"
        ).fetchone()[0]
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    acknowledged = {uid for sender in senders for uid in sender.acknowledged}
    assert len(stored) == len(set(stored)) == counted == indexed
    assert acknowledged <= set(stored) <= {uid for sender in senders for uid in sender.sent}
    assert acknowledged == {uid for sender in senders for uid in sender.sent}


def test_what_the_real_opentelemetry_sdk_exports_is_found_field_by_field(server: Server) -> None:
    resource = Resource.create(
        {"service.name": "shop", "service.instance.id": "shop-1", "host.name": "h1", "zone": "eu"}
    )
    provider = LoggerProvider(resource=resource)
    exporter = OTLPLogExporter(endpoint=f"{server.url}/v1/logs", headers=server.headers)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))

    provider.get_logger("shop.checkout", "1.2").emit(
        LogRecord(
            timestamp=PAST_NS + 7,
            observed_timestamp=PAST_NS + 9,
            severity_number=SeverityNumber.WARN2,
            severity_text="WARN",
            body="cart of Ada timed out",
            attributes={"order": 7, "tags": ["a", "b"], "ratio": 0.5, "paid": False},
            event_name="cart.timeout",
        )
    )
    provider.shutdown()

    (found,) = server.found('"timed out" service:shop attr.order:7 level:warn')
    expected = {
        "time": "2023-11-23T12:00:00.000000007Z",
        "observed_time": "2023-11-23T12:00:00.000000009Z",
        "level": "WARN",
        "severity_number": 14,
        "severity_text": "WARN",
        "service": "shop",
        "instance": "shop-1",
        "host": "h1",
        "logger": "shop.checkout",
        "message": "cart of Ada timed out",
        "token": "tester",
        "notes": [],
    }
    assert {name: found[name] for name in expected} == expected
    own = {"order": 7, "tags": ["a", "b"], "ratio": 0.5, "paid": False, "event.name": "cart.timeout", "zone": "eu"}
    assert own.items() <= found["attributes"].items()


def test_a_loki_style_client_sends_and_its_lines_are_found(server: Server) -> None:
    push = {
        "streams": [
            {
                "stream": {"service_name": "shop", "level": "error", "env": "dev"},
                "values": [["1795435200000000007", "card declined", {"user": "ada"}]],
            }
        ]
    }

    answer = httpx2.post(f"{server.url}/loki/api/v1/push", json=push, headers=server.headers, timeout=REQUEST_SECONDS)

    assert answer.status_code == 204
    (found,) = server.found("service:shop level:error attr.env:dev attr.user:ada")
    assert (found["message"], found["time"]) == ("card declined", "2026-11-23T12:00:00.000000007Z")
