"""`make faults`: `python -m tests.faults --minutes 10 --seed 1 --engine sqlite`."""

import argparse
import asyncio
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.engines import Engine, PostgreSQL, SQLite
from tests.faults.figures import spread
from tests.faults.processes import Stack
from tests.faults.rounds import Run
from tests.faults.schedule import Kind

ENGINES = ("sqlite", "postgresql")
REASONS = {
    Kind.FULL: "a small file system may be mounted by root alone, and is SQLite's",
    Kind.FORWARD: "libfaketime is not installed: apt-get install libfaketime",
    Kind.BACK: "libfaketime is not installed: apt-get install libfaketime",
    Kind.RESTART_DATABASE: "SQLite is no process that could be started again",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="for all engines together (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=None, help="the faults are the same for the same seed")
    parser.add_argument("--engine", choices=ENGINES, action="append", help="default: one after the other")
    parser.add_argument("--keep", action="store_true", help="keep the logs also when nothing was wrong")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    engines = options.engine or list(ENGINES)
    print(f"seed {seed}, {options.minutes:g} minutes, load average {os.getloadavg()[0]:.1f}", flush=True)
    violations = sum(
        asyncio.run(run(engine, seed=seed, minutes=options.minutes / len(engines), keep=options.keep))
        for engine in engines
    )
    load = os.getloadavg()[0]
    print(f"{violations} violations, load average {load:.1f}; repeat with SEED={seed} MINUTES={options.minutes:g}")
    return int(violations > 0)


async def run(name: str, *, seed: int, minutes: float, keep: bool) -> int:
    """Run on one engine; returns the number of broken rules."""
    task = asyncio.current_task()
    assert task is not None
    # As Ctrl-C: the report is printed, and nothing is left running.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    directory = Path(tempfile.mkdtemp(prefix="rollcall-faults-"))
    engine: Engine = SQLite(directory / "data", minutes=minutes) if name == "sqlite" else PostgreSQL()
    running = Run(Stack(directory, engine), seed=seed)
    violations = 0
    converged: list[float] = []
    number = 0
    try:
        await running.start()
        until = time.monotonic() + 60 * minutes
        print(f"== {engine.name}", flush=True)
        _say_what_is_left_out(running)
        while time.monotonic() < until:
            number += 1
            faults = running.plan(number)
            print(f"round {number}", *(f"  {fault}" for fault in faults), sep="\n", flush=True)
            outcome = await running.round(faults)
            converged.append(outcome.converged_seconds)
            violations += len(outcome.violations)
            late = f" LATE, {outcome.short_seconds:.0f} s short of processors" if outcome.is_late else ""
            print(f"  right after {outcome.converged_seconds:.1f} s{late}; the last: {outcome.last}")
            print("".join(f"  VIOLATION {sentence}\n" for sentence in outcome.violations), end="", flush=True)
    except asyncio.CancelledError:
        print(f"  interrupted in round {number}", flush=True)
        raise
    finally:
        # Also of a run that was interrupted or failed.
        print(f"to converge: {spread(converged)}", *running.figures(), sep="\n", flush=True)
        if violations or keep:
            print(f"kept: {running.keep(directory)} and the logs beside it", flush=True)
        await running.stop()
        if not violations and not keep:
            shutil.rmtree(directory, ignore_errors=True)
    return violations


def _say_what_is_left_out(running: Run) -> None:
    possible = running.possible
    for kind in Kind:
        if not possible.targets(kind):
            print(f"left out: {kind}; {REASONS.get(kind, 'it cannot be done here')}", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(130)
