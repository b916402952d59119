"""A run of the harness within a test: a few services, and rounds that are given."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults.engines import Engine
from tests.faults.processes import Stack
from tests.faults.rounds import Run
from tests.faults.schedule import Fault
from tests.faults.scripts import Script

# How soon all is right is not asserted: the suite also runs on a third of a processor.
SERVICES, INSTANCES = 4, 2


@dataclass(frozen=True, kw_only=True)
class Round:
    faults: Sequence[Fault] = ()
    scripts: Sequence[Script] = ()


Rounds = Callable[[Run], Sequence[Round]]


def violations(
    directory: Path, engine: Engine, rounds: Rounds, *, seed: int, has_second_host: bool = False
) -> list[str]:
    """Do the rounds one after the other on one registry; what was found wrong, and in which."""

    async def scenario() -> list[str]:
        stack = Stack(directory, engine, has_second_host=has_second_host)
        run = Run(stack, seed=seed, services=SERVICES, instances=INSTANCES)
        found: list[str] = []
        try:
            await run.start()
            for number, each in enumerate(rounds(run), start=1):
                outcome = await run.round(each.faults, each.scripts)
                found.extend(f"round {number}: {sentence}" for sentence in outcome.violations)
        finally:
            await run.stop()
        return found

    return asyncio.run(scenario())
