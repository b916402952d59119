"""The supervisor as a running process: starting it, asking it, stopping it."""

import asyncio
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, Self
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from config.supervision.process import Process
from config.supervision.programs import Program

# As long as a busy machine may take; a supervisor that ended is not waited for.
START_SECONDS = 60.0
ASK_SECONDS = 30.0
ASK_AGAIN_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class State:
    """The state of a program; `name` is one of supervisord's states, in capitals."""

    name: str
    pid: int = 0
    exit_status: int = 0


class Unreachable(Exception):
    """The supervisor does not answer: it is gone, or about to be."""


class Supervisor:
    """Made by `start`; its maker calls `stop`, also when `ready` raises."""

    def __init__(self, process: Process, socket: Path) -> None:
        self._process = process
        self._socket = socket
        self._pids: set[int] = set()

    @classmethod
    def start(cls, process: Process, configuration: Path, *, socket: Path, log: Path, lock: int) -> Self:
        """Have the process supervise; it inherits `lock`: until it is gone no other may use the data directory."""
        with log.open("ab") as output:
            process.supervise(configuration, log=output.fileno(), lock=lock)
        return cls(process, socket)

    async def ready(self) -> bool:
        """Wait until it answers; returns whether it does."""
        with suppress(TimeoutError):
            async with asyncio.timeout(START_SECONDS):
                while self.is_running:
                    with suppress(Unreachable):
                        await self._ask("getState")
                        return True
                    await asyncio.sleep(ASK_AGAIN_SECONDS)
        return False

    @property
    def is_running(self) -> bool:
        return self._process.returncode is None

    async def launch(self, program: Program) -> None:
        """Start a program without waiting until it is up. Raises Unreachable."""
        with suppress(Fault):
            # A Fault says that it runs already or ended at once; `states` says so too, and then the log why.
            await self._ask("startProcess", program.qualified_name, False)

    async def restart(self, program: Program) -> None:
        """Stop a program, by force if need be, and start it again. Raises Unreachable."""
        with suppress(Fault):
            await self._ask("stopProcess", program.qualified_name)
        await self.launch(program)

    async def states(self) -> dict[str, State]:
        """The states of the programs, by name. Raises Unreachable."""
        found = await self._ask("getAllProcessInfo")
        states = {
            info["name"]: State(name=info["statename"], pid=info["pid"], exit_status=info["exitstatus"])
            for info in found
        }
        self._pids = {state.pid for state in states.values() if state.pid}
        return states

    async def stop(self, *, within_seconds: float) -> bool:
        """Stop the programs in their order, then the supervisor; returns whether it did so by itself and in time."""
        try:
            await asyncio.wait_for(self._process.stop(), within_seconds)
        except TimeoutError:
            self._process.kill()
        is_clean = self._process.returncode == 0
        if not is_clean:
            for pid in self._pids:
                with suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
        return is_clean

    async def _ask(self, method: str, *arguments: Any) -> Any:
        try:
            return await asyncio.wait_for(asyncio.to_thread(self._call, method, *arguments), ASK_SECONDS)
        except (OSError, HTTPException, TimeoutError) as error:
            raise Unreachable(str(error)) from error

    def _call(self, method: str, *arguments: Any) -> Any:
        transport = SupervisorTransport(serverurl=f"unix://{self._socket}")
        with ServerProxy("http://localhost", transport=transport, allow_none=True) as proxy:
            try:
                return getattr(proxy.supervisor, method)(*arguments)
            finally:
                transport.close()
