"""A program that is forked finds and leaves its process as one that is executed does."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from config import env
from config.supervision import forking

WITNESS = (sys.executable, "-m", "tests.config.supervision.witness")
# A parent as the supervisor is: with handlers, a stream of its own and settings that are not the program's.
PARENT = """
import io, json, os, signal, sys
from config.supervision import forking
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
    signal.signal(number, lambda *received: None)
sys.stdout = io.StringIO()
command, environment = json.loads(sys.argv[1])
child = os.fork()
if child == 0:
    forking.run(command, environment)
os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
PRELOADING = """
import json, os, sys, threading
before = set(os.listdir("/proc/self/fd"))
from config.supervision import forking
forking.preload()
from django.apps import apps
from django.conf import settings
print(json.dumps({
    "settings": settings.configured,
    "apps": apps.apps_ready,
    "threads": threading.active_count(),
    "files": len(set(os.listdir("/proc/self/fd")) - before),
    "services": [name for name in sys.modules if name.partition(".")[0] in ("grading", "webui", "unfold.admin")],
}))
"""


def environment(**variables: str) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    # Without a language Python would add one of its own to the environment of what is executed (PEP 538).
    return {**inherited, "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1", **variables}


def executed(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return run([*WITNESS, *arguments], environment(ROLLCALL_PROGRAM="witness"))


def forked(*arguments: str) -> "subprocess.CompletedProcess[str]":
    told = json.dumps([[*WITNESS, *arguments], environment(ROLLCALL_PROGRAM="witness")])
    # A parent that buffers what it writes, as it does where nobody says otherwise.
    variables = environment(DJANGO_SETTINGS_MODULE="of.the.parent", PYTHONUNBUFFERED="")
    return run([sys.executable, "-c", PARENT, told], variables)


def run(command: list[str], variables: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, env=variables, cwd=env.BASE_DIR, capture_output=True, text=True, timeout=120, check=False
    )


def found(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[0])
    # `-c` and `-m` name the working directory differently.
    result["path"] = result["path"] or result["directory"]
    return result


@pytest.mark.parametrize("arguments", [(), ("status", "3"), ("sentence",), ("error",)])
def test_a_forked_program_finds_and_leaves_its_process_as_an_executed_one(arguments: tuple[str, ...]) -> None:
    one, other = executed(*arguments), forked(*arguments)
    assert found(other) == found(one)
    assert other.returncode == one.returncode
    assert other.stdout.splitlines()[1:] == one.stdout.splitlines()[1:] == ["from a thread", "at exit"]
    assert other.stderr.splitlines()[-1:] == one.stderr.splitlines()[-1:]


def test_what_is_imported_before_reads_no_settings_and_starts_nothing() -> None:
    done = run([sys.executable, "-c", PRELOADING], environment(PYTHONPATH=str(env.BASE_DIR)))
    assert done.returncode == 0, done.stderr
    nothing: dict[str, Any] = {"settings": False, "apps": False, "threads": 1, "files": 0, "services": []}
    assert json.loads(done.stdout) == nothing


@pytest.mark.parametrize(
    ("command", "is_own"),
    [
        ((sys.executable, str(env.BASE_DIR / "manage.py"), "grading", "serve"), True),
        ((sys.executable, "-m", "celery", "worker"), True),
        ((sys.executable, "-c", "pass"), False),
        ((sys.executable,), False),
        (("/usr/bin/redis-server", "--port", "0"), False),
        (("/usr/bin/python3", "-m", "celery"), False),
    ],
)
def test_only_a_program_of_this_python_is_forked(command: tuple[str, ...], is_own: bool) -> None:
    assert forking.is_own(command) is is_own
