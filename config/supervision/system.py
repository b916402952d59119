"""Runs the whole system, from the first check to the last process: `./manage.py up`."""

import asyncio
import shutil
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from config import env, privacy
from config.services import SERVICES, Service
from config.supervision import configuration, fleet, obstacles
from config.supervision.display import Display
from config.supervision.news import Condition, Observer, condition_of
from config.supervision.obstacles import Obstacle
from config.supervision.preparation import Preparation
from config.supervision.process import Process
from config.supervision.programs import STORE_PROGRAM, Program, preparations, programs
from config.supervision.signs import Signs
from config.supervision.supervisor import Supervisor, Unreachable

HOST = "127.0.0.1"
LOOK_SECONDS = 1.0
POLL_SECONDS = 0.1
STORE_SECONDS = 30.0
PATIENCE_SECONDS = 60.0
# The pause before a program that the supervisor has given up is tried again.
PAUSE_SECONDS = 30.0
STOP_SECONDS = 9.5
# A disk with less free space counts as full.
FULL_BYTES = 64 * 1024


def run(display: Display, process: Process) -> bool:
    """Run until a signal, in `process` what is supervised; returns whether everything then stopped as it should.

    Raises Obstacle.
    """
    system = System(display)
    display.title(f"Rollcall, with its data in {system.data_dir}")
    lock = system.check()
    return asyncio.run(system.live(process, lock))


class System:
    def __init__(self, display: Display) -> None:
        self.data_dir = env.data_dir()
        self._log_dir = self.data_dir / "log"
        self._run_dir = self.data_dir / "run"
        self._display = display
        self._programs: list[Program] = []
        self._preparations: list[Preparation] = []
        self._accounts: dict[str, dict[str, str]] = {}
        self._observer = Observer(log_dir=self._log_dir, pause_seconds=PAUSE_SECONDS)
        self._signs = Signs(self._run_dir)
        self._is_full = False
        # When to try again the programs that the supervisor has given up, by name.
        self._resting: dict[str, float] = {}

    def check(self) -> int:
        """Look for obstacles before anything is started; returns the lock on the data directory. Raises Obstacle."""
        try:
            self._log_dir.mkdir(exist_ok=True)
            self._run_dir.mkdir(exist_ok=True)
            lock = obstacles.take_lock(self.data_dir)
            privacy.repair(self.data_dir)
            obstacles.check_ports(host=HOST)
            obstacles.check_settings()
            obstacles.check_databases()
            if env.text("REDIS_URL", ""):
                obstacles.check_redis(env.redis_url())
            self._programs = programs()
            self._preparations = [
                Preparation(service, log_dir=self._log_dir, run_dir=self._run_dir) for service in SERVICES.values()
            ]
            configuration.write(
                self._configuration,
                [*preparations(), *self._programs],
                socket=self._socket,
                log_dir=self._log_dir,
                run_dir=self._run_dir,
                working_dir=env.BASE_DIR,
                store_dir=self.data_dir,
            )
        except OSError as error:
            raise Obstacle(
                f"The data directory {self.data_dir} cannot be used ({error.strerror}: {error.filename}): "
                "set ROLLCALL_DATA_DIR to a writable directory."
            ) from error
        return lock

    async def live(self, process: Process, lock: int) -> bool:
        told_to_stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
        supervisor = Supervisor.start(
            process, self._configuration, socket=self._socket, log=self._log_dir / "supervisord.log", lock=lock
        )
        try:
            await _first(told_to_stop.wait, lambda: self._start(supervisor), lambda: self._watch(supervisor))
            self._display.waiting("stopping")
        finally:
            is_clean = await supervisor.stop(within_seconds=STOP_SECONDS)
        self._display.news("stopped" if is_clean else "stopped, with force", is_bad=not is_clean)
        return is_clean

    @property
    def _configuration(self) -> Path:
        return self.data_dir / "supervisord.conf"

    @property
    def _socket(self) -> Path:
        return env.unix_socket("supervisord")

    async def _start(self, supervisor: Supervisor) -> None:
        """Start everything and wait until it passes; then wait for ever, as returning would end the system."""
        if not await supervisor.ready():
            raise self._supervisor_trouble("did not start")
        self._display.waiting("preparing the databases")
        store = asyncio.create_task(self._await_store())
        try:
            await _together(store, self._bring_up(supervisor, store))
        except Unreachable as error:
            raise self._supervisor_trouble("does not answer") from error
        self._present(await self._await_passing())
        await asyncio.Event().wait()

    async def _await_store(self) -> None:
        deadline = time.monotonic() + STORE_SECONDS
        while True:
            try:
                await asyncio.to_thread(obstacles.check_redis, env.redis_url())
                break
            except Obstacle as error:
                if time.monotonic() > deadline:
                    log = self._log_dir / f"{STORE_PROGRAM}.log"
                    raise Obstacle(
                        f"The Redis that was started here does not answer: {log} says why; or set REDIS_URL to another."
                    ) from error
            await asyncio.sleep(POLL_SECONDS)
        self._display.done("Redis answers")

    async def _bring_up(self, supervisor: Supervisor, store: "asyncio.Task[None]") -> None:
        """Start the programs of each service as soon as it is prepared."""
        waiting = list(self._preparations)
        while waiting:
            states = await supervisor.states()
            for preparation in tuple(waiting):
                prepared = preparation.outcome(states[preparation.program])
                if prepared is None or not store.done():
                    continue
                waiting.remove(preparation)
                service = preparation.service
                self._accounts[service.name] = prepared.accounts
                for program in self._programs:
                    if program.service == service:
                        await supervisor.launch(program)
                migrations = f", {prepared.migrations} migrations applied" if prepared.migrations else ""
                self._display.done(f"{service.name} prepared and started{migrations}")
            await asyncio.sleep(POLL_SECONDS)

    async def _await_passing(self) -> dict[str, str]:
        """Wait until every service passes or is in maintenance; returns their statuses."""
        deadline, is_late = time.monotonic() + PATIENCE_SECONDS, False
        while True:
            statuses = await asyncio.to_thread(
                fleet.statuses,
                SERVICES,
                host=HOST,
                port=env.port(SERVICES["registry"]),
                token=env.secret("REGISTRY_REGISTRY_TOKEN"),
            )
            missing = {name: status for name, status in statuses.items() if status not in fleet.SETTLED}
            if not missing:
                break
            words = ", ".join(f"{name} ({status})" for name, status in missing.items() if status != fleet.UNKNOWN)
            self._display.waiting(f"waiting for {words}")
            if not is_late and time.monotonic() > deadline:
                is_late = True
                self._display.news(f"after {PATIENCE_SECONDS:.0f} s still waiting for {words}", is_bad=True)
                self._display.note(f"the log of each process is in {self._log_dir}")
            await asyncio.sleep(POLL_SECONDS)
        others = ", ".join(f"{name} ({status})" for name, status in statuses.items() if status != fleet.PASSING)
        self._display.done(f"all services are registered and passing{', but for ' if others else ''}{others}")
        return statuses

    def _present(self, statuses: Mapping[str, str]) -> None:
        rows = [[service.name, _address(service), statuses[service.name]] for service in SERVICES.values()]
        self._display.table(["SERVICE", "ADDRESS", "STATUS"], rows)
        for service in sorted(SERVICES.values(), key=lambda service: service.default_port):
            if service.page:
                title, path = service.page
                accounts = self._accounts[service.name].items()
                self._display.entry(title, _address(service) + path, *(f"{name:9} {word}" for name, word in accounts))
        self._display.entry("Logs", str(self._log_dir))
        self._display.note("Ctrl-C stops everything.")

    async def _watch(self, supervisor: Supervisor) -> None:
        """Report what ends by itself, and start again what the supervisor has given up."""
        while supervisor.is_running:
            await asyncio.sleep(LOOK_SECONDS)
            with suppress(Unreachable):
                is_full = shutil.disk_usage(self.data_dir).free < FULL_BYTES
                if is_full != self._is_full:
                    self._is_full = is_full
                    what = "is full: make room; everything goes on then" if is_full else "has room again"
                    self._display.news(f"The disk of {self.data_dir} {what}", is_bad=is_full)
                states = await supervisor.states()
                for each in self._preparations:
                    del states[each.program]
                for item in self._observer.look(states):
                    self._display.news(item.sentence, is_bad=item.is_bad)
                for program in self._programs:
                    if condition_of(states[program.name]) is not Condition.GIVEN_UP:
                        self._resting.pop(program.name, None)
                    elif time.monotonic() > self._resting.setdefault(program.name, time.monotonic() + PAUSE_SECONDS):
                        await supervisor.launch(program)
                for program in self._signs.lost(self._programs, states):
                    self._display.news(f"{program.name} makes no progress and is being restarted", is_bad=True)
                    await supervisor.restart(program)
        raise self._supervisor_trouble("ended unexpectedly")

    def _supervisor_trouble(self, what: str) -> Obstacle:
        return Obstacle(f"The supervisor {what}: {self._log_dir / 'supervisord.log'} says why; start again.")


def _address(service: Service) -> str:
    return f"http://{HOST}:{env.port(service)}"


async def _first(*functions: Callable[[], Awaitable[Any]]) -> None:
    """Run the functions until one returns or raises, then cancel the others."""
    tasks = [asyncio.ensure_future(function()) for function in functions]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await _end(tasks)


async def _together(*awaitables: Awaitable[Any]) -> None:
    """Wait until all have returned or one has raised, then cancel the others."""
    tasks = [asyncio.ensure_future(awaitable) for awaitable in awaitables]
    try:
        await asyncio.gather(*tasks)
    finally:
        await _end(tasks)


async def _end(tasks: Sequence["asyncio.Future[Any]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
