"""`kill -9` of the log service under load, and of the processes that log: each record is there exactly once."""

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from config import env
from tests import forked, preparing
from tests.system.running import MANAGE, SETTLED_SECONDS, environment, free_ports
from tests.waiting import until

KILLS = 2
# Logs in two threads and says each number once its call has returned; the end of stdin ends it. Some hundred records a
# second are under way at any moment: more would be only more to read back.
LOGGING = """
import logging, sys, threading
from logsvc.client import LogHandler
name, address, token, spool = sys.argv[1:]
handler = LogHandler(service=name, token=token, endpoint=address, spool_dir=spool)
logger = logging.getLogger("load")
logger.propagate = False
logger.setLevel(logging.INFO)
logger.addHandler(handler)
is_over = threading.Event()
def work(thread):
    number = 0
    while not is_over.wait(0.003):
        logger.info("%s", f"{name}-{thread}-{number}")
        sys.stdout.write(f"{name}-{thread}-{number}\\n")
        sys.stdout.flush()
        number += 1
threads = [threading.Thread(target=work, args=(each,)) for each in range(2)]
for thread in threads:
    thread.start()
sys.stdin.read()
is_over.set()
for thread in threads:
    thread.join()
"""


class LogService:
    def __init__(self, directory: Path) -> None:
        self._environment = environment(directory, free_ports())
        self.url = f"http://127.0.0.1:{self._environment['LOGSVC_PORT']}"
        self.token = preparing.prepare("logsvc", "log:write", "log:read", environment=self._environment)
        self._stored: Counter[str] = Counter()
        self._cursor: Any = 0
        self.start()

    def start(self) -> None:
        self.process = forked.Program([str(MANAGE), "logsvc", "serve"], env=self._environment)

    def is_up(self) -> bool:
        try:
            return httpx2.get(f"{self.url}/healthz").status_code == 200
        except httpx2.TransportError:
            return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def messages(self) -> Counter[str]:
        """The number of copies of each that are stored; reads those that have arrived since it was last asked."""
        with httpx2.Client(headers={"Authorization": f"Bearer {self.token}"}, timeout=SETTLED_SECONDS) as client:
            while True:
                answer = client.get(f"{self.url}/api/v1/logs/arrivals", params={"cursor": self._cursor, "limit": 1000})
                assert answer.status_code == 200, answer.text
                body = answer.json()
                self._stored.update(record["message"] for record in body["records"])
                if body["cursor"] == self._cursor:
                    return self._stored
                self._cursor = body["cursor"]


class Program:
    """A program that logs as fast as it may, and what it was told that it had logged."""

    def __init__(self, name: str, service: LogService, spool: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", LOGGING, name, service.url, service.token, str(spool)],
            cwd=env.BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.logged: list[str] = []
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self._join()

    def kill(self) -> None:
        self.process.kill()
        self._join()

    def await_more(self, count: int) -> None:
        wanted = len(self.logged) + count
        until(lambda: len(self.logged) >= wanted, seconds=SETTLED_SECONDS)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            # The last one may have been cut off by the killing.
            if line.endswith("\n"):
                self.logged.append(line.strip())

    def _join(self) -> None:
        self.process.wait()
        self._reading.join()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[LogService]:
    made = LogService(tmp_path / "data")
    try:
        until(made.is_up, seconds=SETTLED_SECONDS)
        yield made
    finally:
        made.kill()


def test_whoever_is_killed_each_record_is_stored_exactly_once(service: LogService, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    survivor, victim = Program("survivor", service, spool), Program("victim", service, spool)
    try:
        for _ in range(KILLS):
            survivor.await_more(700)
            service.kill()
            # Away for a while: what is logged now waits in the spool.
            survivor.await_more(300)
            service.start()
            until(service.is_up, seconds=SETTLED_SECONDS)
        victim.await_more(300)
    finally:
        victim.kill()
        survivor.end()
    logged = {*survivor.logged, *victim.logged}
    heir = Program("heir", service, spool)
    try:
        until(
            lambda: logged <= set(service.messages()),
            seconds=SETTLED_SECONDS,
            explain=lambda: f"{len(logged - set(service.messages()))} of {len(logged)} are missing",
        )
    finally:
        heir.end()

    stored = Counter({each: times for each, times in service.messages().items() if not each.startswith("heir")})
    assert len(logged) > 1000 * KILLS
    assert {each for each, times in stored.items() if times != 1} == set()
    # At most the calls that had not returned when the victim was killed, one a thread.
    assert len(set(stored) - logged) <= 2
