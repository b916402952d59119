"""A real Prometheus finds its targets through the registry, and reads the registry's own figures."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from pytest_django.live_server_helper import LiveServer

from config.tokens import issuing
from tests import factories
from tests.ports import free_port
from tests.waiting import PATIENCE_SECONDS, until

PROMETHEUS = shutil.which("prometheus")

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(PROMETHEUS is None, reason="there is no prometheus on PATH (Debian's package has it)"),
]

CONFIGURATION = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: rollcall
    http_sd_configs:
      - url: {registry}/v1/prometheus/targets?service=billing
        refresh_interval: 1s
        authorization: {{type: Bearer, credentials: {token}}}
  - job_name: registry
    static_configs: [{{targets: ["{host}"]}}]
"""


@pytest.fixture
def prometheus(live_server: LiveServer, tmp_path: Path) -> Iterator[httpx2.Client]:
    token = issuing.create(name="prometheus", scopes=["read"])
    host = urlsplit(live_server.url).netloc
    configuration = tmp_path / "prometheus.yml"
    configuration.write_text(CONFIGURATION.format(registry=live_server.url, token=token, host=host))
    address = f"127.0.0.1:{free_port()}"
    options = [
        f"--config.file={configuration}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address={address}",
    ]
    assert PROMETHEUS is not None
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen([PROMETHEUS, *options], stdout=log, stderr=log) as process,
        httpx2.Client(base_url=f"http://{address}") as client,
    ):
        yield client
        process.terminate()


def test_prometheus_finds_what_is_offered_and_reads_the_figures(prometheus: httpx2.Client, now: datetime) -> None:
    factories.passing("billing", zone="a", version="1.2", metadata={"team": "x"}, now=now)
    factories.register("billing", "billing-2", now=now)
    factories.passing("other", now=now)

    found = _eventually(lambda: _targets(prometheus, "rollcall"))
    [target] = found
    assert target["labels"] == {
        "service": "billing",
        "instance": "billing-1",
        "zone": "a",
        "version": "1.2",
        "job": "rollcall",
    }
    assert target["discoveredLabels"]["__address__"] == "127.0.0.1:9000"
    assert target["discoveredLabels"]["__meta_rollcall_metadata_team"] == "x"

    assert _eventually(lambda: _value(prometheus, 'rollcall_instances{status="passing"}')) == "2"


def _targets(prometheus: httpx2.Client, job: str) -> list[dict[str, Any]]:
    active = prometheus.get("/api/v1/targets").json()["data"]["activeTargets"]
    return [each for each in active if each["labels"]["job"] == job]


def _value(prometheus: httpx2.Client, query: str) -> str | None:
    result = prometheus.get("/api/v1/query", params={"query": query}).json()["data"]["result"]
    value = result[0]["value"][1] if result else None
    return None if value in (None, "0") else str(value)


def _eventually(ask: Callable[[], Any]) -> Any:
    def asked() -> Any:
        with suppress(KeyError, ValueError):
            return ask()

    return until(asked, seconds=2 * PATIENCE_SECONDS)
