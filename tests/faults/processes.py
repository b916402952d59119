"""The registry's processes as `up` runs them, and its Redis, each kept running as its supervisor would."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

from config import env
from config.services import SERVICES
from config.supervision import forking
from config.supervision.programs import Program, programs, redis_server
from tests import forked, preparing
from tests.faults.engines import Engine
from tests.faults.namespaces import Namespace
from tests.faults.proxy import LOOPBACK, Proxy
from tests.faults.schedule import Kind, Possible
from tests.ports import free_port
from tests.system.running import environment

LOOK_SECONDS = 0.1
# As supervisord waits before it starts again what has ended.
RESTART_SECONDS = 1.0
SERVER = "registry"
REDIS = "redis"
SECOND_HOST = "-second"
FAKETIME = (
    Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"),
    Path("/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1"),
    Path("/usr/local/lib/faketime/libfaketimeMT.so.1"),
)


class Process:
    """One program and its present process: forked where it is our own, as under `up`, and keeps the right time."""

    def __init__(self, name: str, command: tuple[str, ...], environment: Mapping[str, str], log_dir: Path) -> None:
        self.name = name
        self._command = command
        self._environment = dict(environment)
        self._log = log_dir / f"{name}.log"
        # What is preloaded to fake its clock acts when a program is executed.
        self._is_forked = forking.is_own(command) and "LD_PRELOAD" not in environment
        self._process: subprocess.Popen[bytes] | forked.Program | None = None
        self.started_at = 0.0

    def start(self) -> None:
        self.started_at = time.time()
        with self._log.open("ab") as log:
            if self._is_forked:
                self._process = forked.Program(self._command[1:], env=self._environment, stdout=log, stderr=log)
                return
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                cwd=env.BASE_DIR,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    @property
    def waited_seconds(self) -> float:
        """The time for which the threads of the present process were ready and had no processor, all together."""
        if self._process is None:
            return 0.0
        nanoseconds = 0
        for path in Path(f"/proc/{self._process.pid}/task").glob("*/schedstat"):
            # A thread may have ended meanwhile; elsewhere than on Linux there are none.
            with suppress(OSError):
                nanoseconds += int(path.read_text().split()[1])
        return nanoseconds / 1e9

    def send(self, number: int) -> None:
        """Send a signal to the present process, unless it has ended."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    async def freeze(self, seconds: float) -> None:
        """Stop this process for a while; one that has taken its place by then is left alone."""
        process = self._process
        if process is None:
            return
        self.send(signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class Stack:
    """One registry: server, workers, beat, Redis behind a proxy, and the engine's database.

    A second host has a beat and workers of its own, and can be cut off. It is a network namespace where one may be
    made; elsewhere its processes run beside the others, with ways of their own to Redis and to the database.
    """

    def __init__(self, directory: Path, engine: Engine, *, has_second_host: bool = False) -> None:
        self.directory = directory
        self.engine = engine
        self._has_second_host = has_second_host
        self._namespace: Namespace | None = None
        self.data_dir = directory / "data"
        self.url = ""
        self.token = ""
        self.processes: dict[str, Process] = {}
        self._clock = directory / "clock"
        self._clock.write_text("+0\n")
        self._redis_port = free_port()
        self._redis_proxy = Proxy((LOOPBACK, self._redis_port))
        self._ways: dict[str, list[Proxy | Namespace]] = {"redis": [self._redis_proxy]}
        # The proxies of the second host, which are not cut where the host itself can be.
        self._lasting: list[Proxy] = []
        self._keeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        (self.data_dir / "run").mkdir(parents=True, exist_ok=True)
        await self.engine.start()
        await self._redis_proxy.start()
        if self.engine.proxy:
            self._ways["database"] = [self.engine.proxy]
        if self._has_second_host:
            namespace = Namespace()
            self._namespace = namespace if namespace.make() else None
        variables = self._environment()
        scopes = ("read", "operate", "register:*")
        self.token = await asyncio.to_thread(preparing.prepare, "registry", *scopes, environment=variables)
        redis = (redis_server(), "--port", str(self._redis_port), "--save", "", "--appendonly", "no")
        self.processes[REDIS] = Process(REDIS, redis, os.environ, self.directory)
        with patch.dict(os.environ, variables):
            # The programs that `up` runs, whatever these are.
            own = [each for each in programs() if each.service is SERVICES["registry"]]
        for program in own:
            self._add(program, variables, host="")
        if self._has_second_host:
            elsewhere = variables | await self._second_way()
            for program in own:
                if "celery" in program.command:
                    self._add(program, elsewhere, host=SECOND_HOST)
        for process in self.processes.values():
            process.start()
        self._keeping = asyncio.create_task(self._keep())

    def _add(self, program: Program, variables: dict[str, str], *, host: str) -> None:
        name = f"{program.name}{host}"
        command = tuple(word.replace("%h", f"%h{host}") for word in program.command)
        if host and self._namespace:
            command = (*self._namespace.prefix, *command)
        own = {**variables, **program.environment, **self._clock_variables(), "ROLLCALL_PROGRAM": program.name + host}
        self.processes[name] = Process(name, command, own, self.directory)

    async def _second_way(self) -> dict[str, str]:
        """The variables that lead processes of another host to Redis and to the database."""
        redis = Proxy((LOOPBACK, self._redis_port), address=self.address)
        database = self.engine.another_proxy(self.address)
        self._ways[SECOND_HOST] = [self._namespace] if self._namespace else [redis, database]
        self._lasting = [redis, database]
        for proxy in (redis, database):
            await proxy.start()
        return {"REDIS_URL": f"redis://{redis.authority}", **self.engine.variables_by(database)}

    async def stop(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
        for process in self.processes.values():
            process.end()
        for way in {each for every in self._ways.values() for each in every} | {*self._lasting}:
            await way.stop()
        await self.engine.stop()

    @property
    def address(self) -> str:
        """An address of this host that the processes of both hosts reach."""
        return self._namespace.address if self._namespace else LOOPBACK

    @property
    def probers(self) -> tuple[str, ...]:
        """The processes that probe: workers, and in their stead the server."""
        return tuple(name for name in self.processes if name == SERVER or "worker" in name)

    @property
    def possible(self) -> Possible:
        clock = {Kind.FORWARD, Kind.BACK} if faketime() else set()
        kinds = frozenset({Kind.FLUSH, *clock, *self.engine.kinds})
        return Possible(processes=tuple(self.processes), connections=tuple(self._ways), kinds=kinds)

    def cut(self, connection: str) -> None:
        for way in self._ways[connection]:
            way.cut()

    def mend(self, connection: str) -> None:
        for way in self._ways[connection]:
            way.mend()

    def set_clock(self, seconds: int) -> None:
        """Set the clock of all processes of the registry, as an offset from the right time."""
        draft = self._clock.with_suffix(".new")
        draft.write_text(f"{seconds:+d}\n")
        draft.replace(self._clock)

    async def flush(self) -> None:
        """Redis forgets everything; nothing where it is away."""
        with suppress(OSError, TimeoutError):
            reader, writer = await asyncio.open_connection("127.0.0.1", self._redis_port)
            writer.write(b"FLUSHALL\r\n")
            await asyncio.wait_for(reader.readline(), 5)
            writer.close()

    def _environment(self) -> dict[str, str]:
        ports = {"registry": free_port()}
        self.url = f"http://127.0.0.1:{ports['registry']}"
        return environment(
            self.data_dir,
            ports,
            REDIS_URL=f"redis://127.0.0.1:{self._redis_proxy.port}",
            # All services here are of one token and one host, and die together: that this is believed to be our own
            # fault is another promise, which tests/registry/health holds.
            REGISTRY_PROTECTION_PERCENT="100",
            REGISTRY_ALLOWED_NETWORKS=f"127.0.0.0/8,{self.address}/32",
            **self.engine.variables,
        )

    def _clock_variables(self) -> dict[str, str]:
        library = faketime()
        if library is None:
            return {}
        return {
            "LD_PRELOAD": str(library),
            "PYTHONPATH": str(Path(__file__).with_name("faketime")),
            "FAKETIME_TIMESTAMP_FILE": str(self._clock),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_RESET": "1",
        }

    async def _keep(self) -> None:
        """Start again what has ended."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for process in self.processes.values():
                if process.has_ended:
                    await asyncio.sleep(RESTART_SECONDS)
                    process.start()


def faketime() -> Path | None:
    """Debian's libfaketime, where it is installed."""
    return next((path for path in FAKETIME if path.exists()), None)
