"""However a process ends, short of being killed, its instances are deregistered first; and a forked child's are not."""

import signal
import subprocess
import sys

import pytest

# Prints what the registry was asked, from a process of its own: a process ends once.
PROGRAM = """
import atexit, multiprocessing, os, signal, sys, threading
from tests.clients.registry.fake import FakeRegistry, registration
from tests.clients.registry.test_membership import until
fake = FakeRegistry(listener=lambda request: print(request.method, flush=True))
def join():
    me = fake.client().registered(registration())
    me.start()
    until(lambda: me.is_registered)
    return me
"""


def run(code: str) -> tuple[int, list[str]]:
    ended = subprocess.run([sys.executable, "-c", PROGRAM + code], capture_output=True, text=True, timeout=30)
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended.returncode, ended.stdout.split()


def test_at_the_end_of_the_program() -> None:
    assert run("join()") == (0, ["PUT", "DELETE"])


def test_at_an_exit_with_a_code() -> None:
    assert run("join(); sys.exit(3)") == (3, ["PUT", "DELETE"])


def test_on_sigterm_which_then_ends_the_process_as_it_would_have() -> None:
    assert run("join(); signal.raise_signal(signal.SIGTERM)") == (-signal.SIGTERM, ["PUT", "DELETE"])


def test_on_sigterm_before_whoever_else_handles_it() -> None:
    code = "signal.signal(signal.SIGTERM, lambda *a: print('other')); join(); signal.raise_signal(signal.SIGTERM)"
    assert run(code) == (0, ["PUT", "DELETE", "other"])


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
