"""The files in docs/examples run as they stand: they register, are told, and deregister."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.registry.fake import FakeRegistry
from tests.clients.registry.serving import BIN, ROOT, changes, environment, known, served, serves, tell
from tests.ports import free_port
from tests.waiting import until

__all__ = ["served"]
pytestmark = pytest.mark.system
EXAMPLES = ROOT / "docs" / "examples"
# Says which of its workers can be told to end: to one that still starts the signal may be lost, and it is killed; and
# one that has not joined the others yet is alone when they have left, and registers again.
GUNICORN = """
from registry.client import departure
from tests.waiting import until

def post_worker_init(worker):
    until(lambda: all(member.run for member in departure.of_process.members))
    print("a worker has started", flush=True)
"""


@pytest.mark.parametrize("name", ["script.py", "fastapi_app.py", "flask_app.py", "django_app.py"])
def test_the_lines_that_run_an_example_set_each_variable_that_it_needs(name: str) -> None:
    program = (EXAMPLES / name).read_text()
    needed = set(re.findall(r'environ\["(\w+)"\]', program))
    exported = re.findall(r"^    export (.+)$", ast.get_docstring(ast.parse(program), clean=False) or "", re.MULTILINE)

    assert needed
    assert set(re.findall(r"(\w+)=", " ".join(exported))) == needed


def test_the_plain_script_calls_a_provider_and_leaves(served: FakeRegistry, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / "script.py"],
        env=environment(served, 0, tmp_path),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (ended.returncode, ended.stdout) == (0, "grading says: ok\n"), ended.stderr
    assert "PUT /v1/services/report/instances/report-1" in served.calls()
    assert served.registered() == {"grading/grading-1"}


@pytest.mark.parametrize(
    ("service", "command"),
    [
        ("timetable", "uvicorn fastapi_app:app --port {port}"),
        ("canteen", "gunicorn flask_app:app --workers 2 --bind 127.0.0.1:{port} --config {configuration}"),
        (
            "library",
            "gunicorn django_app:application --workers 2 --bind 127.0.0.1:{port} --config {configuration}",
        ),
    ],
)
def test_a_service_registers_is_told_and_deregisters(
    served: FakeRegistry, tmp_path: Path, service: str, command: str
) -> None:
    port, key = free_port(), (service, f"{service}-1")
    configuration = tmp_path / "gunicorn.py"
    configuration.write_text(GUNICORN)
    program = f"{BIN}/{command.format(port=port, configuration=configuration)}".split()
    workers = 2 if "gunicorn" in command else 0
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            program, cwd=EXAMPLES, env=environment(served, port, tmp_path), stdout=log, stderr=log
        )
    try:
        until(lambda: key in served.instances and serves(port), seconds=60)
        until(lambda: known(port) == [served.instances["grading", "grading-1"]["url"]])
        assert tell(served, key) == 204
        # Every worker knows, though one was told.
        for _ in range(5):
            until(lambda: len(known(port)) == 2)
        until(lambda: (tmp_path / "log").read_text().count("a worker has started") == workers, seconds=60)
    finally:
        process.terminate()
        process.wait(60)
    until(lambda: key not in served.instances)
    address = f"/v1/services/{service}/instances/{service}-1"
    assert changes(served, service) == [f"PUT {address}", f"POST {address}/drain", f"DELETE {address}"]
    assert "Traceback" not in (tmp_path / "log").read_text()
