"""Prepares a service in a process of its own, before it is started."""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from config import env
from config.services import Service
from config.supervision.obstacles import Obstacle


@dataclass(frozen=True, kw_only=True)
class Prepared:
    migrations: int
    # The passwords of the accounts that people sign in with, by username.
    accounts: dict[str, str]


async def prepare(service: Service, *, log: Path) -> Prepared:
    """Run the service's `prepare`. Raises Obstacle with its error when it fails; `log` gets its whole output."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(env.BASE_DIR / "manage.py"), service.name, "prepare", "--json"),
        cwd=env.BASE_DIR,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        output, errors = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    await asyncio.to_thread(log.write_bytes, errors)
    if process.returncode:
        # The last line of a traceback names the error, and that of a command is its sentence.
        lines = errors.decode(errors="replace").strip().splitlines()
        reason = lines[-1] if lines else "The process ended without a word."
        raise Obstacle(f"{reason} (Preparing {service.name}; {log} has its whole output.)")
    return Prepared(**json.loads(output.splitlines()[-1]))
