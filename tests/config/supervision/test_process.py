import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config import env
from config.supervision import configuration
from config.supervision.process import Process
from tests import forked


def test_one_that_is_never_told_to_supervise_is_gone_with_who_forked_it() -> None:
    with Process.fork() as process:
        assert process.returncode is None
    assert process.returncode is not None


def test_one_that_is_told_to_stop_before_it_supervises_just_ends() -> None:
    with Process.fork() as process:
        asyncio.run(process.stop())
        assert process.returncode == 0


def test_its_end_is_seen_also_where_up_was_started_by_who_ignores_its_children() -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        with Process.fork() as process:
            asyncio.run(process.stop())
            assert process.returncode == 0
    finally:
        signal.signal(signal.SIGCHLD, before)


@pytest.mark.parametrize("closed", [(), (0,)])
def test_one_whose_forker_dies_ends_whatever_files_were_closed(closed: tuple[int, ...]) -> None:
    program = f"""
import os
from config.supervision.process import Process
for number in {closed}:
    os.close(number)
Process.fork()
os._exit(0)
"""
    # Standard error ends with the last process that holds it.
    done = subprocess.run([sys.executable, "-c", program], stderr=subprocess.PIPE, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_supervisor_holds_the_lock_on_the_data_directory_until_it_is_gone(short_path: Path) -> None:
    configure(short_path)
    assert supervised(short_path) == {"ready": True, "free": [False, True], "clean": True}


def test_one_that_is_told_to_stop_while_it_begins_stops_cleanly(short_path: Path) -> None:
    configure(short_path)
    assert supervised(short_path, "briefly")["clean"]


def test_one_that_is_told_to_stop_while_it_logs_how_it_begins_does_so() -> None:
    program = """
import os, signal
from supervisor import supervisord
from config.supervision import daemon

def begin(arguments):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()
    except:
        # As supervisord does when it logs.
        os._exit(1)

supervisord.main = begin
daemon.main()
"""
    reading, writing = os.pipe()
    with open(reading) as line, open(writing, "w"):
        assert subprocess.run([sys.executable, "-c", program], stdin=line, timeout=60).returncode == 0


def test_one_that_cannot_read_its_configuration_ends_and_says_so_in_its_log(short_path: Path) -> None:
    assert supervised(short_path) == {"ready": False, "free": [True, True], "clean": False}
    assert "supervisord.conf" in (short_path / "supervisord.log").read_text()


def configure(directory: Path) -> None:
    configuration.write(
        directory / "supervisord.conf",
        [],
        socket=directory / "supervisord.sock",
        log_dir=directory,
        run_dir=directory,
        working_dir=env.BASE_DIR,
        store_dir=directory,
    )


def supervised(directory: Path, *arguments: str) -> Any:
    command = ["-m", "tests.config.supervision.supervising", str(directory), *arguments]
    done = forked.run(command, env=os.environ)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
