"""Time of a page of the web UI, the services that it asks included: the whole system runs as `make up` has it.

    .venv/bin/python -m bench.bench_webui_pages [SERVICES]

Each page is asked for over HTTP, signed in, one at a time; the board with three services, and with SERVICES (500) more.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2

from bench.stack import free_port, wait_for

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 60
PASSWORD = "only-for-benchmarks"
PAGES = (
    "/status",
    "/status?open=passing",
    "/services/logsvc",
    "/services/logsvc/panels/instances",
    "/graph",
    "/logs",
    "/logs/panels/histogram",
    "/logs/panels/facets",
    "/logs/tail",
    "/alerts",
)


def main() -> None:
    more = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with tempfile.TemporaryDirectory(prefix="rollcall-bench-") as directory, ExitStack() as stack:
        ports = {name: free_port() for name in ("registry", "logsvc", "grading", "webui")}
        environment = {
            **os.environ,
            "ROLLCALL_DATA_DIR": directory,
            "DEMO_OPERATOR_PASSWORD": PASSWORD,
            "ROLLCALL_TOKEN_REQUESTS_PER_SECOND": "0",
            "REGISTRY_TOKEN_INSTANCES": "0",
            **{f"{name.upper()}_PORT": str(port) for name, port in ports.items()},
        }
        stack.enter_context(everything(environment))
        wait_for(f"http://127.0.0.1:{ports['webui']}", seconds=300)
        with httpx2.Client(base_url=f"http://127.0.0.1:{ports['webui']}", timeout=30) as browser:
            sign_in(browser)
            wait_for_logs(browser)
            measure(browser, "with 3 services")
            register(environment, f"http://127.0.0.1:{ports['registry']}", more)
            measure(browser, f"with {more + 3} services")


@contextmanager
def everything(environment: dict[str, str]) -> Iterator[None]:
    up = [sys.executable, str(ROOT / "manage.py"), "up"]
    process = subprocess.Popen(up, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def sign_in(browser: httpx2.Client) -> None:
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', browser.get("/sign-in").text)
    assert token, "the sign-in page has a form"
    form = {"csrfmiddlewaretoken": token[1], "username": "operator", "password": PASSWORD}
    answer = browser.post("/sign-in", data=form, headers={"Referer": f"{browser.base_url}/sign-in"})
    assert answer.status_code == 302, answer.text


def wait_for_logs(browser: httpx2.Client) -> None:
    """The services log as they start; the web UI finds the log service a moment after it has registered."""
    ends_at = time.monotonic() + 120
    while 'class="log-line' not in browser.get("/logs").text:
        assert time.monotonic() < ends_at, "no log record arrived"
        time.sleep(0.5)


def register(environment: dict[str, str], registry_url: str, count: int) -> None:
    create = [sys.executable, str(ROOT / "manage.py"), "registry", "create_token", "bench", "--scope", "register:*"]
    made = subprocess.run(create, env=environment, check=True, capture_output=True)
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
    answer = httpx2.post(
        f"{registry_url}/v1/registrations:batch", json={"instances": instances}, headers=headers, timeout=60
    )
    assert answer.status_code == 200, answer.text
    for each in instances:
        address = f"{registry_url}/v1/services/{each['service']}/instances/{each['instance']}/heartbeat"
        httpx2.put(address, headers=headers).raise_for_status()


def measure(browser: httpx2.Client, title: str) -> None:
    print(f"{title:<40} {'median':>9} {'p95':>9} {'bytes':>9}")
    for page in PAGES:
        seconds, size = [], 0
        for _ in range(ROUNDS):
            began = time.perf_counter()
            answer = browser.get(page)
            seconds.append(time.perf_counter() - began)
            assert answer.status_code in (200, 302), (page, answer.status_code)
            size = len(answer.content)
        p95 = statistics.quantiles(seconds, n=20)[-1]
        print(f"{page:<40} {1000 * statistics.median(seconds):>6.1f} ms {1000 * p95:>6.1f} ms {size:>9,}")


if __name__ == "__main__":
    main()
