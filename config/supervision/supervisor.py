"""The supervisor as a running process: started, asked, told and stopped."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, Self
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from config import env
from config.supervision.programs import Program

# As long as a busy machine may take: one that ended is not waited for.
START_SECONDS = 60.0
ASK_SECONDS = 30.0
ASK_AGAIN_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class State:
    """What the supervisor says of a program; `name` is one of supervisord's states, in capitals."""

    name: str
    pid: int = 0
    exit_status: int = 0


class Unreachable(Exception):
    """The supervisor does not answer: it is gone, or on its way."""


class Supervisor:
    """Made by `start`; whoever made it calls `stop`, also when `ready` raises."""

    def __init__(self, process: asyncio.subprocess.Process, socket: Path) -> None:
        self._process = process
        self._socket = socket
        self._pids: set[int] = set()

    @classmethod
    async def start(cls, configuration: Path, *, socket: Path, log: Path, lock: int) -> Self:
        """It holds `lock` too: until it is gone nobody else may use the data directory."""
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "config.supervision.daemon", "--configuration", str(configuration)),
                cwd=env.BASE_DIR,
                stdin=asyncio.subprocess.PIPE,
                stdout=output,
                stderr=output,
                pass_fds=[lock],
                # Out of the terminal's reach: Ctrl-C is for `up`, which then ends everything in order.
                start_new_session=True,
            )
        return cls(process, socket)

    async def ready(self) -> bool:
        """Wait until it answers; False when it does not."""
        try:
            await asyncio.wait_for(self._answering(), START_SECONDS)
        except (Unreachable, TimeoutError):
            return False
        return True

    @property
    def is_running(self) -> bool:
        return self._process.returncode is None

    async def launch(self, program: Program) -> None:
        """Start a program, and do not wait until it is up. Raises Unreachable."""
        with suppress(Fault):
            # A Fault says that it runs already or ended at once; `states` says so too, and then the log why.
            await self._ask("startProcess", program.qualified_name, False)

    async def restart(self, program: Program) -> None:
        """Stop a program, by force where it does not hear, and start it again. Raises Unreachable."""
        with suppress(Fault):
            await self._ask("stopProcess", program.qualified_name)
        await self.launch(program)

    async def states(self) -> dict[str, State]:
        """By the name of the program. Raises Unreachable."""
        found = await self._ask("getAllProcessInfo")
        states = {
            info["name"]: State(name=info["statename"], pid=info["pid"], exit_status=info["exitstatus"])
            for info in found
        }
        self._pids = {state.pid for state in states.values() if state.pid}
        return states

    async def stop(self, *, within_seconds: float) -> bool:
        """Stop the programs in their order, then the supervisor; whether it did so by itself and in time."""
        if self._process.stdin is not None:
            # The end of the pipe tells it to stop, as our own end would.
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), within_seconds)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        is_clean = self._process.returncode == 0
        if not is_clean:
            _kill(self._pids)
        return is_clean

    async def _answering(self) -> None:
        while self.is_running:
            with suppress(Unreachable):
                await self._ask("getState")
                return
            await asyncio.sleep(ASK_AGAIN_SECONDS)
        raise Unreachable

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


def _kill(pids: Iterable[int]) -> None:
    """End what a supervisor that did not end by itself has left behind; each leads a process group of its own."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
