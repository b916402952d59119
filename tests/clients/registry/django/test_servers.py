"""Servers of a Django project, with any number of workers: one instance registers, and leaves at the end."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest

from tests.clients.registry.fake import FakeRegistry
from tests.clients.registry.serving import BIN, ROOT, changes, environment, known, served, serves, tell
from tests.ports import free_port
from tests.waiting import until

__all__ = ["served"]
pytestmark = pytest.mark.system
KEY = ("library", "library-1")
INSTANCE = "/v1/services/library/instances/library-1"
DJANGO = f"{sys.executable} -m django"
# Without a time it waits for open connections for ever.
GRANIAN = "granian --workers 2 --workers-kill-timeout 20 --port {port}"
SERVERS = {
    "granian": f"{GRANIAN} --interface wsgi project.wsgi:application",
    "granian, asgi": f"{GRANIAN} --interface asgi project.asgi:application",
    "gunicorn": "gunicorn --workers 2 --bind 127.0.0.1:{port} project.wsgi",
    "gunicorn, preloaded": "gunicorn --preload --workers 2 --bind 127.0.0.1:{port} project.wsgi",
    "uvicorn": "uvicorn --workers 2 --port {port} project.asgi:application",
    "uvicorn, one worker": "uvicorn --port {port} project.asgi:application",
    "runserver": f"{DJANGO} runserver 127.0.0.1:{{port}}",
    "runserver, no reload": f"{DJANGO} runserver --noreload 127.0.0.1:{{port}}",
}

# The others keep SIGTERM for themselves until they have ended, or are told to end as by a terminal.
DRAINED = {"gunicorn", "uvicorn"}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    shutil.copytree(Path(__file__).parent / "project", tmp_path / "project")
    return tmp_path


@pytest.mark.parametrize("server", SERVERS)
def test_a_project_registers_once_for_all_its_workers(served: FakeRegistry, directory: Path, server: str) -> None:
    with serving(served, directory, SERVERS[server]) as port:
        until(lambda: known(port) == [served.instances["grading", "grading-1"]["url"]])
        assert tell(served, KEY) == 204
        # Every worker knows, though one was told.
        counts: dict[int, int] = {}
        until(lambda: ask(port, counts) == [2] * workers(SERVERS[server]))
    until(lambda: KEY not in served.instances)
    drained = [f"POST {INSTANCE}/drain"] if server in DRAINED else []
    told = [call for call in changes(served, "library") if server in DRAINED or call != f"POST {INSTANCE}/drain"]
    assert told == [f"PUT {INSTANCE}", *drained, f"DELETE {INSTANCE}"]


def test_a_reload_is_not_seen_by_the_registry(served: FakeRegistry, directory: Path) -> None:
    with serving(served, directory, SERVERS["runserver"]) as port:
        change(directory / "project" / "urls.py", until_it_is=lambda: served.calls().count(f"PUT {INSTANCE}") > 1)
        until(lambda: serves(port), seconds=60)
        assert f"DELETE {INSTANCE}" not in served.calls()
    until(lambda: KEY not in served.instances)


def test_a_management_command_beside_the_server_does_not_join(served: FakeRegistry, directory: Path) -> None:
    with serving(served, directory, SERVERS["gunicorn"]) as port:
        variables = environment_of(served, directory, port)
        checked = subprocess.run([*DJANGO.split(), "check"], env=variables, capture_output=True, text=True)
        assert "no issues" in checked.stdout
        assert changes(served, "library") == [f"PUT {INSTANCE}"]


def change(path: Path, *, until_it_is: Callable[[], bool]) -> None:
    """Change the file, once or again: a change before the reloader's first look is nothing new to it."""
    for _ in range(4):
        path.touch()
        with suppress(AssertionError):
            until(until_it_is, seconds=15)
            return
    raise AssertionError(f"{path} was not read again")


def workers(command: str) -> int:
    return 2 if "--workers 2" in command else 1


def ask(port: int, counts: dict[int, int]) -> list[int]:
    """Ask one of the workers how many providers it knows; returns the last answer of each."""
    answer = httpx2.get(f"http://127.0.0.1:{port}/").json()
    counts[answer["worker"]] = len(answer["grading"])
    return list(counts.values())


@contextmanager
def serving(registry: FakeRegistry, directory: Path, command: str) -> Iterator[int]:
    """Serve until the block is left; then have it end, as init systems or a terminal do."""
    port = free_port()
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            command.format(port=port).split(),
            cwd=directory,
            env=environment_of(registry, directory, port),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        until(lambda: KEY in registry.instances and serves(port), seconds=60)
        # None is left that still starts: to one that is told to end then the signal may be lost, and it is killed.
        counts: dict[int, int] = {}
        until(lambda: len(ask(port, counts)) == workers(command), seconds=60)
        yield port
    finally:
        end(process, by_terminal="runserver" in command)
    assert "Traceback" not in (directory / "log").read_text(), (directory / "log").read_text()


def end(process: "subprocess.Popen[bytes]", *, by_terminal: bool) -> None:
    """Told by a signal to it alone, runserver kills the process that it watches, which then cannot deregister."""
    if by_terminal:
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.terminate()
    try:
        process.wait(60)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def environment_of(registry: FakeRegistry, directory: Path, port: int) -> dict[str, str]:
    own = environment(registry, port, directory / "state")
    own["PATH"] = f"{BIN}:{own['PATH']}"
    return {**own, "PYTHONPATH": f"{directory}:{ROOT}", "DJANGO_SETTINGS_MODULE": "project.settings"}
