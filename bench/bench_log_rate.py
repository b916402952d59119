"""The rate at which the log service takes records in over HTTP, with its full-text index, in each format.

A real server on a free port, whose database is thrown away; with LOGSVC_DATABASE_URL on that database, which must be
empty. The sender shares the machine: its bodies are made before, and its processor time is said.
`python -m bench.bench_log_rate 200000 ndjson otlp`: how many records of each format, and which formats.
"""

import gzip
import http.client
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from bench.bench_log_service import NOW_NS, bodies, cpu_seconds, line, server
from logsvc import timestamps

BATCH = 2000
CONNECTIONS = 4
COMPRESSION = 1
_SEVERITIES = {"DEBUG": 5, "INFO": 9, "WARN": 13, "ERROR": 17}


def ndjson(start: int) -> bytes:
    return bodies(start, start + BATCH)


def client(start: int) -> bytes:
    """The same records as `LogHandler` sends them: gzipped, with a time in RFC 3339 and a uid."""
    lines = []
    for number, each in enumerate(records(start), start=start):
        each["time"] = timestamps.wire(each["time"])
        each["uid"] = f"{NOW_NS // 1_000_000 + number * 10:012x}70008000{number:012x}"
        lines.append(msgspec.json.encode(each))
    return gzip.compress(b"\n".join(lines), COMPRESSION)


def otlp(start: int) -> bytes:
    """The same records as one process exports them: those of a logger together."""
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    for name, value in (("service.name", "grading"), ("service.instance.id", f"i-{start // BATCH % 8}")):
        resource.resource.attributes.add(key=name).value.string_value = value
    scopes = {}
    for each in records(start):
        logger = each["logger"]
        if logger not in scopes:
            scopes[logger] = resource.scope_logs.add()
            scopes[logger].scope.name = logger
        record = scopes[logger].log_records.add(
            time_unix_nano=each["time"],
            observed_time_unix_nano=each["time"],
            severity_number=_SEVERITIES[each["level"]],
            severity_text=each["level"],
            trace_id=bytes.fromhex(each["trace_id"]),
        )
        record.body.string_value = each["message"]
        record.attributes.add(key="user").value.string_value = each["attributes"]["user"]
        record.attributes.add(key="ms").value.int_value = each["attributes"]["ms"]
    return request.SerializeToString()


def loki(start: int) -> bytes:
    streams: dict[tuple[str, ...], list[object]] = {}
    for each in records(start):
        labels = each["service"], each["instance"], each["level"]
        metadata = {"trace_id": each["trace_id"], **{name: str(value) for name, value in each["attributes"].items()}}
        streams.setdefault(labels, []).append([str(each["time"]), each["message"], metadata])
    return msgspec.json.encode(
        {
            "streams": [
                {"stream": {"service_name": service, "instance": instance, "level": level}, "values": values}
                for (service, instance, level), values in streams.items()
            ]
        }
    )


def records(start: int) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line(number)) for number in range(start, start + BATCH)]


FORMATS: dict[str, tuple[str, dict[str, str], Callable[[int], bytes]]] = {
    "ndjson": ("/api/v1/logs", {"Content-Type": "application/x-ndjson"}, ndjson),
    "client": ("/api/v1/logs", {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}, client),
    "otlp": ("/v1/logs", {"Content-Type": "application/x-protobuf"}, otlp),
    "loki": ("/loki/api/v1/push", {"Content-Type": "application/json"}, loki),
}


def main() -> None:
    count = next((int(word) for word in sys.argv[1:] if word.isdigit()), 200_000)
    names = [word for word in sys.argv[1:] if word in FORMATS] or list(FORMATS)
    with (
        tempfile.TemporaryDirectory(prefix="rollcall-bench-") as directory,
        server(Path(directory)) as (port, token, process),
    ):
        first = 0
        for name in names:
            made = [FORMATS[name][2](start) for start in range(first, first + count, BATCH)]
            first += count
            measure(name, made, port, token, process)


def measure(name: str, made: list[bytes], port: int, token: str, process: int) -> None:
    count = len(made) * BATCH
    path, headers, _ = FORMATS[name]
    headers = {"Authorization": f"Bearer {token}", **headers}
    before, sent_before, began = cpu_seconds(process), time.process_time(), time.perf_counter()
    refused = send(made, port, path, headers)
    seconds, sent = time.perf_counter() - began, time.process_time() - sent_before
    spent = cpu_seconds(process) - before
    cores = os.cpu_count() or 1
    print(
        f"{name:<12} {count / seconds:>8,.0f} a second; {count / (seconds - sent / cores):>8,.0f} without the sender's "
        f"{sent / count * 1e6:.1f} us; server {spent / count * 1e6:5.1f} us each, {spent / seconds:.2f} cores; "
        f"{refused} refused; load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def send(made: list[bytes], port: int, path: str, headers: dict[str, str]) -> int:
    """Send all bodies over several connections; returns how often one was refused for now, and sent again."""
    waiting, refused = iter(made), 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal refused
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while True:
            with lock:
                body = next(waiting, None)
            if body is None:
                return
            while True:
                connection.request("POST", path, body, headers)
                response = connection.getresponse()
                answer = response.read()
                if response.status in (200, 204):
                    break
                assert response.status == 503, answer
                refused += 1
                time.sleep(0.1)

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return refused


if __name__ == "__main__":
    main()
