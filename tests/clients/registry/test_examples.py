"""The files in docs/examples run as they stand: they register, are told, and deregister."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.registry.fake import FakeRegistry
from tests.clients.registry.serving import BIN, ROOT, changes, environment, free_port, known, served, serves, tell
from tests.clients.registry.test_membership import until

__all__ = ["served"]
pytestmark = pytest.mark.system
EXAMPLES = ROOT / "docs" / "examples"


def test_the_plain_script_calls_a_provider_and_leaves(served: FakeRegistry, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / "script.py"],
        env=environment(served, 0, tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout) == (0, "grading says: ok\n"), ended.stderr
    assert "PUT /v1/services/report/instances/report-1" in served.calls()
    assert served.registered() == {"grading/grading-1"}


@pytest.mark.parametrize(
    ("service", "command"),
    [
        ("timetable", ["uvicorn", "fastapi_app:app", "--port", "{port}"]),
        ("canteen", ["gunicorn", "flask_app:app", "--workers", "2", "--bind", "127.0.0.1:{port}"]),
        ("library", ["gunicorn", "django_app:application", "--workers", "2", "--bind", "127.0.0.1:{port}"]),
    ],
)
def test_a_service_registers_is_told_and_deregisters(
    served: FakeRegistry, tmp_path: Path, service: str, command: list[str]
) -> None:
    port, key = free_port(), (service, f"{service}-1")
    program = [str(BIN / command[0]), *(word.format(port=port) for word in command[1:])]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            program, cwd=EXAMPLES, env=environment(served, port, tmp_path), stdout=log, stderr=log
        )
    try:
        until(lambda: key in served.instances and serves(port), seconds=30)
        until(lambda: known(port) == [served.instances["grading", "grading-1"]["url"]])
        assert tell(served, key) == 204
        # Every worker knows, though one was told.
        for _ in range(5):
            until(lambda: len(known(port)) == 2)
    finally:
        process.terminate()
        process.wait(30)
    until(lambda: key not in served.instances)
    address = f"/v1/services/{service}/instances/{service}-1"
    assert changes(served, service) == [f"PUT {address}", f"POST {address}/drain", f"DELETE {address}"]
    assert "Traceback" not in (tmp_path / "log").read_text()
