"""Beat and a Redis that is away, killed or emptied: a real one, for it is Redis and redbeat that are tried."""

import logging
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from redbeat.schedulers import RedBeatSchedulerEntry
from redis import Redis, exceptions

from config.beat import InWorker, Scheduler
from config.celery import App
from config.supervision.programs import redis_server
from tests.waiting import PATIENCE_SECONDS, until

INTERVAL_SECONDS = 0.01


class Server:
    def __init__(self, directory: Path) -> None:
        self.socket = directory / "redis.sock"
        self.redis = Redis(unix_socket_path=str(self.socket), decode_responses=True)
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = ["--port", "0", "--unixsocket", str(self.socket), "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [redis_server(), *options], cwd=self._directory, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
        )
        until(self.is_up)

    def is_up(self) -> bool:
        try:
            return bool(self.redis.ping())
        except exceptions.ConnectionError:
            return False

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@pytest.fixture
def server(short_path: Path) -> Iterator[Server]:
    server = Server(short_path)
    yield server
    server.kill()
    server.redis.close()


@pytest.fixture
def app(server: Server) -> Iterator[App]:
    app = App("tried", set_as_current=False)
    app.conf.update(
        broker_url=f"redis+socket://{server.socket}",
        redbeat_redis_url=f"unix://{server.socket}",
        redbeat_redis_options={"socket_timeout": PATIENCE_SECONDS},
        redbeat_lock_timeout=60,
        beat_max_loop_interval=INTERVAL_SECONDS,
        beat_schedule={"sweep": {"task": "sweep", "schedule": 0.001}},
        task_default_queue="tried",
        task_ignore_result=True,
    )
    yield app
    app.close()


def test_it_goes_on_when_redis_is_emptied(server: Server, app: App) -> None:
    server.start()
    scheduler = Scheduler(app)
    until(lambda: sends(scheduler, server))

    server.redis.flushall()

    until(lambda: sends(scheduler, server))
    assert leads(scheduler)
    scheduler.close()


def test_it_goes_on_when_the_clock_was_set_back_by_an_hour(server: Server, app: App) -> None:
    server.start()
    scheduler = Scheduler(app)
    until(lambda: sends(scheduler, server))

    entry = RedBeatSchedulerEntry.from_key(RedBeatSchedulerEntry.generate_key(app, "sweep"), app=app)
    entry.reschedule(last_run_at=datetime.now(UTC) + timedelta(hours=1))

    until(lambda: sends(scheduler, server))
    scheduler.close()


def test_it_waits_for_a_redis_that_is_away_and_says_so_once(
    server: Server, app: App, caplog: pytest.LogCaptureFixture
) -> None:
    scheduler = Scheduler(app)
    assert [scheduler.tick() for _ in range(3)] == [INTERVAL_SECONDS] * 3
    server.start()
    until(lambda: sends(scheduler, server))
    server.kill()
    assert [scheduler.tick() for _ in range(3)] == [INTERVAL_SECONDS] * 3
    server.start()
    until(lambda: sends(scheduler, server))

    said = [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]
    assert len([each for each in said if each.startswith("Nothing is scheduled")]) == 2
    assert len([each for each in said if each.startswith("Redis can be reached")]) == 2
    assert not [each for each in caplog.records if each.exc_info]
    scheduler.close()


def test_it_ends_while_redis_is_away(server: Server, app: App) -> None:
    server.start()
    scheduler = Scheduler(app)
    until(lambda: sends(scheduler, server))
    server.kill()

    scheduler.close()

    assert scheduler.lock is None


def test_it_stands_by_when_another_has_taken_its_place(server: Server, app: App) -> None:
    server.start()
    first, second = Scheduler(app), Scheduler(app)
    # A lock belongs to the thread that has taken it.
    with ThreadPoolExecutor(1) as elsewhere:
        elsewhere.submit(first.tick).result()
        # As it runs out when the first stands still for long.
        server.redis.delete(first.lock_key)
        second.tick()

        assert elsewhere.submit(first.tick).result() == 0
        assert elsewhere.submit(first.tick).result() == INTERVAL_SECONDS
        until(lambda: sends(second, server))
        assert not elsewhere.submit(leads, first).result()
        second.close()

        until(lambda: elsewhere.submit(sends, first, server).result())
        assert elsewhere.submit(leads, first).result()
        elsewhere.submit(first.close).result()


def test_the_lock_of_a_beat_that_is_gone_runs_out_though_the_clock_of_redis_was_set_back(
    server: Server, app: App
) -> None:
    server.start()
    scheduler = Scheduler(app)
    server.redis.set(scheduler.lock_key, "gone", px=3_600_000)

    scheduler.tick()

    assert server.redis.pttl(scheduler.lock_key) <= 60_000
    assert server.redis.get(scheduler.lock_key) == "gone"


def test_who_takes_over_has_a_schedule_though_redis_was_emptied_while_it_stood_by(server: Server, app: App) -> None:
    server.start()
    first, second = Scheduler(app), Scheduler(app)
    first.tick()
    with ThreadPoolExecutor(1) as elsewhere:
        elsewhere.submit(second.tick).result()
        assert not elsewhere.submit(leads, second).result()

        server.redis.flushall()

        until(lambda: elsewhere.submit(sends, second, server).result())
        elsewhere.submit(second.close).result()


def leads(scheduler: Scheduler) -> bool:
    return scheduler.lock is not None and scheduler.lock.owned()


def sends(scheduler: Scheduler, server: Server) -> bool:
    """Whether one more tick has sent a task."""
    before = server.redis.llen("tried")
    scheduler.tick()
    return bool(server.redis.llen("tried") > before)


def test_beat_in_a_worker_is_the_one_with_the_lock(app: App) -> None:
    app.conf.beat_scheduler = "config.beat.Scheduler"
    step = InWorker(SimpleNamespace(app=app, steps=[]), with_beat=True)
    assert isinstance(step.service.scheduler, Scheduler)
