"""Measures the operators' pages of the web UI, the services that it asks included.

The registry with its worker, the log service and the web UI run as `make up` has them. Each page is asked for over
HTTP, signed in, one at a time; the board with three services, with 50 and with SERVICES (500), all of them with ninety
days of history. CPU is what all the servers took of the processor.

    .venv/bin/python -m bench.bench_webui_pages [SERVICES]
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial

import httpx2

from bench import pages
from bench.stack import RAISED, ROOT, free_port, running, wait_for
from config.supervision.programs import redis_server

PASSWORD = "only-for-benchmarks"
SERVED = ("registry", "logsvc", "webui")
GOAL_MS = 40.0
BATCH = 500
BOARD = {
    "board": "/status",
    "board, searched": "/status?q=webui",
    "board, every row": "/status?open=*",
    "graph": "/graph",
}
OTHERS = {
    "service": "/services/logsvc",
    "service: instances": "/services/logsvc/panels/instances",
    "service: ninety days": "/services/logsvc/panels/uptime",
    "service: notifications": "/services/logsvc/panels/deliveries",
    "service: events": "/services/logsvc/panels/events",
    "service: last log lines": "/services/logsvc/panels/logs",
    "logs": "/logs",
    "logs, searched": "/logs?q=GET",
    "logs: histogram": "/logs/panels/histogram",
    "logs: facets": "/logs/panels/facets",
    "logs: tail": "/logs/tail",
    "alerts": "/alerts",
    "public page's settings": "/public/settings",
}


def main() -> None:
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with tempfile.TemporaryDirectory(prefix="rollcall-bench-") as directory, ExitStack() as stack:
        ports = {name: free_port() for name in SERVED}
        environment = {
            **os.environ,
            "ROLLCALL_DATA_DIR": directory,
            "DEMO_OPERATOR_PASSWORD": PASSWORD,
            **RAISED,
            **{f"{name.upper()}_PORT": str(port) for name, port in ports.items()},
        }
        stack.enter_context(everything(environment))
        url = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        with closing(pages.signed_in(url["webui"], "operator", PASSWORD)) as client:
            record = first_record(client)
            pages.print_head("3 services")
            for name, address in {**BOARD, **OTHERS, "one record": f"/logs/{record}"}.items():
                pages.report(name, partial(client.get, address), goal_ms=GOAL_MS)
            for count in (50, most):
                register(environment, url["registry"], count)
                pages.print_head(f"{count} services more")
                for name, address in BOARD.items():
                    pages.report(name, partial(client.get, address), goal_ms=GOAL_MS)
                pages.report("board: a poll", Poll(client), goal_ms=GOAL_MS)
        print(f"load average {os.getloadavg()[0]:.1f}")


class Poll:
    """The question that an open board asks every three seconds, naming the picture it shows."""

    def __init__(self, client: httpx2.Client) -> None:
        self.client = client
        self.seen = ""

    def __call__(self) -> httpx2.Response:
        headers = {"HX-Request": "true", "HX-Trigger": "status-poll", "HX-Target": "status-poll"}
        answer = self.client.get("/status", params={"seen": self.seen}, headers=headers)
        found = re.search(r'id="seen" value="(\w+)"', answer.text)
        assert found, answer.text
        self.seen = found[1]
        return answer


@contextmanager
def everything(environment: dict[str, str]) -> Iterator[None]:
    def manage(*arguments: str) -> list[str]:
        return [sys.executable, str(ROOT / "manage.py"), *arguments]

    directory = environment["ROLLCALL_DATA_DIR"]
    redis = [redis_server(), "--port", "0", "--unixsocket", f"{directory}/redis.sock", "--save", ""]
    queues = ["--queues", "registry.heartbeats,registry", "--with-beat", "--pool", "solo", "--concurrency", "1"]
    worker = [sys.executable, "-m", "celery", "--app", "config.celery", "worker", *queues]
    with ExitStack() as stack:
        stack.enter_context(running(redis, environment))
        preparing = [
            subprocess.Popen(manage(name, "prepare"), env=environment, cwd=ROOT, stdout=subprocess.DEVNULL)
            for name in SERVED
        ]
        assert [process.wait() for process in preparing] == [0, 0, 0]
        for name in SERVED:
            stack.enter_context(running(manage(name, "serve"), environment))
        stack.enter_context(running(worker, {**environment, "DJANGO_SETTINGS_MODULE": "config.settings.registry"}))
        for name in SERVED:
            wait_for(f"http://127.0.0.1:{environment[f'{name.upper()}_PORT']}")
        yield


def first_record(client: httpx2.Client) -> str:
    """The services log as they start; the web UI finds the log service a moment after it has registered."""
    ends_at = time.monotonic() + 60
    while True:
        if found := re.search(r'href="/logs/(\d+)"', client.get("/logs?range=all").text):
            return found[1]
        assert time.monotonic() < ends_at, "no log record arrived"
        time.sleep(0.5)


def register(environment: dict[str, str], registry_url: str, count: int) -> None:
    """Services of one instance each, which beat by themselves and have passed for ninety days."""
    create = [sys.executable, str(ROOT / "manage.py"), "registry", "create_token", f"bench-{count}"]
    made = subprocess.run(
        [*create, "--scope", "register:*"], env=environment, cwd=ROOT, check=True, capture_output=True
    )
    instances = [
        {
            "service": f"bench-{number:03}",
            "instance": f"bench-{number:03}-1",
            "url": "http://127.0.0.1:9",
            "requires": [f"bench-{number // 10:03}"] if number else [],
            "heartbeat": {"kind": "ttl", "interval_seconds": 3600},
        }
        for number in range(count)
    ]
    headers = {"Authorization": f"Bearer {made.stdout.decode().strip()}"}
    with httpx2.Client(base_url=registry_url, headers=headers, timeout=60, trust_env=False) as client:
        client.post("/v1/registrations:batch", json={"instances": instances}).raise_for_status()
        for each in instances:
            client.put(f"/v1/services/{each['service']}/instances/{each['instance']}/heartbeat").raise_for_status()
    fill = [sys.executable, "-m", "bench.bench_webui_pages", "--history"]
    settings = {"DJANGO_SETTINGS_MODULE": "config.settings.registry"}
    subprocess.run(fill, env={**environment, **settings}, cwd=ROOT, check=True)


def fill_history() -> None:
    """Ninety days and twenty-four hours of probes for each instance, in the registry's own database."""
    import django

    django.setup()
    from registry.models import Instance, Rollup

    counts = {"probes": 100, "failures": 1, "warnings": 0, "timed": 99}
    latency = {"latency_total_ms": 500.0, "latency_max_ms": 9.5}
    now = int(time.time()) // 3600
    starts = [(24, now // 24 * 24 - 24 * day) for day in range(90)] + [(1, now - hour) for hour in range(24)]
    Rollup.objects.bulk_create(
        (
            Rollup(service=service, instance=name, span_hours=span, start_hour=start, **counts, **latency)
            for service, name in Instance.objects.values_list("service", "name")
            for span, start in starts
        ),
        batch_size=2_000,
        ignore_conflicts=True,
    )


if __name__ == "__main__":
    fill_history() if "--history" in sys.argv else main()
