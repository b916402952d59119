"""A program of any language is an instance while it runs, and does not notice."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from registry.client import Heartbeat, sidecar
from tests.clients.registry.fake import FakeRegistry, registration

# A sidecar of its own, for it handles its process's signals; it prints what the registry was told. A line is
# written at once, with its end, as two processes write to the same pipe.
PROGRAM = """
import sys
from registry.client import sidecar
from tests.clients.registry.fake import FakeRegistry, registration
def tell(request):
    if request.method != "GET":
        print(f"{request.method}\\n", end="", flush=True)
fake = FakeRegistry(listener=tell)
me = fake.client().registered(registration(), drain_seconds=float(sys.argv[1]))
sys.exit(sidecar.run(me, sys.argv[2:]))
"""
# The next beat comes when no test runs any more.
BEATS_ONCE = Heartbeat(kind="ttl", interval_seconds=3600.0)
WAITING = """
import os, signal, sys
numbers = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2}
# Blocked: handled right before the program waits, a signal would leave it waiting for ever.
signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
os.write(1, b"ready\\n")
os.write(1, f"got {signal.sigwait(numbers).name}\\n".encode())
sys.exit(5)
"""


@contextmanager
def waiting_in_a_sidecar(*, drain_seconds: float) -> Iterator["subprocess.Popen[str]"]:
    """A program in a sidecar; both are ended at the end, also when the test fails before it has ended them."""
    command = [sys.executable, "-c", PROGRAM, str(drain_seconds), sys.executable, "-c", WAITING]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise


def until_a_beat(registry: FakeRegistry, path: Path) -> str:
    """A line of shell that goes on when the registry has had a beat."""
    os.mkfifo(path)

    def tell(request: httpx2.Request) -> None:
        if request.url.path.endswith("/heartbeat") and not path.with_suffix(".told").exists():
            path.with_suffix(".told").touch()
            path.write_text("beat")

    registry.listener = tell
    return f"cat {path} > /dev/null"


def test_it_is_registered_while_it_runs_and_its_exit_code_is_passed_on(registry: FakeRegistry, tmp_path: Path) -> None:
    me = registry.client().registered(registration(heartbeat=BEATS_ONCE))
    program = ["sh", "-c", f"{until_a_beat(registry, tmp_path / 'beat')}; exit 7"]
    assert sidecar.run(me, program) == 7
    assert [request.method for request in registry.requests] == ["PUT", "PUT", "DELETE"]
    assert registry.registered() == set()


def test_what_a_signal_ended_has_the_code_that_shells_give(registry: FakeRegistry) -> None:
    program = [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]
    assert sidecar.run(registry.client().registered(registration()), program) == 137


def test_a_program_that_is_none_is_never_registered(registry: FakeRegistry) -> None:
    with pytest.raises(FileNotFoundError):
        sidecar.run(registry.client().registered(registration()), ["/nowhere/to/be/found"])
    assert registry.requests == []


def test_the_handlers_of_before_are_put_back(registry: FakeRegistry) -> None:
    before = signal.getsignal(signal.SIGUSR1)
    sidecar.run(registry.client().registered(registration()), ["true"])
    assert signal.getsignal(signal.SIGUSR1) == before


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2"])
def test_signals_are_passed_on(name: str) -> None:
    with waiting_in_a_sidecar(drain_seconds=0.1) as process:
        assert process.stdout is not None
        lines = {process.stdout.readline().strip() for _ in range(2)}
        assert lines == {"ready", "PUT"}
        os.kill(process.pid, signal.Signals[name])
        rest = process.stdout.read().split("\n")
    assert process.returncode == 5
    told_first = ["POST", "DELETE", f"got {name}"]
    assert rest[:-1] == (told_first if name == "SIGTERM" else [f"got {name}", "DELETE"])


def test_a_program_that_ends_while_it_drains_has_its_own_exit_code() -> None:
    with waiting_in_a_sidecar(drain_seconds=3600) as process:
        assert process.stdout is not None
        assert {process.stdout.readline().strip() for _ in range(2)} == {"ready", "PUT"}
        os.kill(process.pid, signal.SIGTERM)
        assert process.stdout.readline().strip() == "POST"
        os.kill(process.pid, signal.SIGUSR1)
        assert process.stdout.read().split() == ["got", "SIGUSR1", "DELETE"]
    assert process.returncode == 5
