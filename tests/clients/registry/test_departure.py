"""However a process ends, short of being killed, its instances are deregistered first; and a forked child's are not."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

# Prints what the registry was asked, from a process of its own: a process ends once.
PROGRAM = """
import atexit, multiprocessing, os, signal, sys, threading
from tests.clients.registry.fake import FakeRegistry, registration
from tests.waiting import until
fake = FakeRegistry(listener=lambda request: print(request.method, flush=True))
def join(**options):
    me = fake.client().registered(registration(), **options)
    me.start()
    until(lambda: me.is_registered)
    return me
"""


def run(code: str) -> tuple[int, list[str]]:
    ended = subprocess.run([sys.executable, "-c", PROGRAM + code], capture_output=True, text=True, timeout=120)
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended.returncode, ended.stdout.split()


def test_at_the_end_of_the_program() -> None:
    assert run("join()") == (0, ["PUT", "DELETE"])


def test_at_an_exit_with_a_code() -> None:
    assert run("join(); sys.exit(3)") == (3, ["PUT", "DELETE"])


def test_on_sigterm_it_serves_on_for_a_while_and_then_ends_as_it_would_have() -> None:
    code = """
join(drain_seconds=5.0)
signal.raise_signal(signal.SIGTERM)
assert len(fake.requests) < 3
threading.Event().wait()
"""
    assert run(code) == (-signal.SIGTERM, ["PUT", "POST", "DELETE"])


def test_on_sigterm_before_whoever_else_handles_it() -> None:
    code = """
ended = threading.Event()
signal.signal(signal.SIGTERM, lambda *a: (print("other"), ended.set()))
join()
signal.raise_signal(signal.SIGTERM)
ended.wait()
"""
    assert run(code) == (0, ["PUT", "POST", "DELETE", "other"])


def test_a_second_sigterm_does_not_wait_for_the_drain() -> None:
    code = """
join(drain_seconds=3600.0)
signal.raise_signal(signal.SIGTERM)
until(lambda: len(fake.requests) == 2)
signal.raise_signal(signal.SIGTERM)
"""
    assert run(code) == (-signal.SIGTERM, ["PUT", "POST", "DELETE"])


def test_without_a_time_to_drain_the_registry_is_told_once() -> None:
    code = "join(drain_seconds=0.0); signal.raise_signal(signal.SIGTERM)"
    assert run(code) == (-signal.SIGTERM, ["PUT", "DELETE"])


def test_a_registry_that_cannot_be_told_is_not_waited_for() -> None:
    code = """
join(drain_seconds=3600.0)
fake.is_away = True
signal.raise_signal(signal.SIGTERM)
threading.Event().wait()
"""
    assert run(code) == (-signal.SIGTERM, ["PUT", "POST", "DELETE"])


def test_of_two_workers_that_end_the_last_drains_the_instance(tmp_path: Path) -> None:
    code = f"""
directory = {str(tmp_path)!r}
first, second = (fake.client().registered(registration(), state_dir=directory) for _ in range(2))
first.start()
until(lambda: first.is_registered)
second.start()
until(lambda: second._crew.run)
first.drain()
print("one left", flush=True)
second.drain()
"""
    status, said = run(code)
    assert (status, said[0]) == (0, "PUT")
    # The second may have come to register in the first one's place.
    assert [word for word in said if word != "PUT"] == ["one", "left", "POST", "DELETE"]


def test_a_handler_that_calls_the_one_before_it_is_not_called_in_circles() -> None:
    code = """
join()
previous = signal.getsignal(signal.SIGTERM)
signal.signal(signal.SIGTERM, lambda *a: (print("mine", flush=True), previous(*a)))
join()
signal.raise_signal(signal.SIGTERM)
"""
    assert run(code) == (-signal.SIGTERM, ["PUT", "PUT", "mine", "DELETE", "DELETE"])


def test_sigterm_stays_ignored_where_it_was() -> None:
    code = "signal.signal(signal.SIGTERM, signal.SIG_IGN); join(); signal.raise_signal(signal.SIGTERM); print('on')"
    assert run(code) == (0, ["PUT", "on", "DELETE"])


def test_a_thread_may_join_as_well() -> None:
    assert run("t = threading.Thread(target=join); t.start(); t.join()") == (0, ["PUT", "DELETE"])


@pytest.mark.parametrize("end", ["os._exit(0)", "sys.exit(0)"])
def test_the_end_of_a_forked_child_is_not_the_end_of_the_instance(end: str) -> None:
    code = f"""
me = join()
if os.fork() == 0:
    {end}
os.wait()
print("alive", me.is_registered, flush=True)
"""
    assert run(code) == (0, ["PUT", "alive", "True", "DELETE"])


def test_nothing_is_imported_by_a_thread_while_the_process_may_fork() -> None:
    code = """
from registry.client import Registry
me = Registry("http://127.0.0.1:1", "rct_x").registered(registration())
me.start()
before = set(sys.modules)
until(lambda: me._life.trouble is not None)
print(*set(sys.modules) - before)
"""
    assert run(code) == (0, [])


def test_at_the_end_of_a_multiprocessing_child_that_joined() -> None:
    code = """
child = multiprocessing.get_context("fork").Process(target=join)
child.start()
child.join()
print("parent", flush=True)
"""
    assert run(code) == (0, ["PUT", "DELETE", "parent"])


def test_a_child_that_starts_what_it_inherited_is_a_worker_of_its_own() -> None:
    code = """
me = join()
if os.fork() == 0:
    me.start()
    until(lambda: len(fake.requests) > 1)
    sys.exit(0)
os.wait()
print("parent", flush=True)
"""
    assert run(code) == (0, ["PUT", "PUT", "DELETE", "parent", "DELETE"])


def test_what_was_stopped_is_not_stopped_again() -> None:
    assert run("me = join(); me.stop(); me.stop()") == (0, ["PUT", "DELETE"])
