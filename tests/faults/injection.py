"""Doing the faults of a plan."""

import asyncio
import signal
import time
from collections.abc import Sequence

from tests.faults.history import History, Injected
from tests.faults.processes import Stack
from tests.faults.schedule import HOUR_SECONDS, RECEIVERS, Fault, Kind
from tests.faults.services import Mood

# libfaketime looks at its file once a second by a clock of whole seconds, and what was sent before is under way.
CLOCK_SECONDS = 3.0


async def inject_all(faults: Sequence[Fault], stack: Stack, mood: Mood, history: History) -> None:
    """Do them at their times, and wait until all are over."""
    await asyncio.gather(*(_at_its_time(fault, stack, mood, history) for fault in faults))


async def _at_its_time(fault: Fault, stack: Stack, mood: Mood, history: History) -> None:
    await asyncio.sleep(fault.at)
    since = time.time()
    try:
        await inject(fault, stack, mood)
    finally:
        injected = Injected(kind=fault.kind, target=fault.target, since=since, until=time.time())
        history.injected.append(injected)


async def inject(fault: Fault, stack: Stack, mood: Mood) -> None:
    """Carry out a fault, from its beginning to its end."""
    if fault.kind in RECEIVERS:
        mood.begin(fault.kind)
        await asyncio.sleep(fault.seconds)
        mood.end()
    elif fault.kind is Kind.KILL:
        stack.processes[fault.target].send(signal.SIGKILL)
    elif fault.kind is Kind.FREEZE:
        await stack.processes[fault.target].freeze(fault.seconds)
    elif fault.kind is Kind.FLUSH:
        await stack.flush()
    elif fault.kind is Kind.RESTART_DATABASE:
        await stack.engine.restart()
    elif fault.kind is Kind.CUT:
        stack.cut(fault.target)
        await asyncio.sleep(fault.seconds)
        stack.mend(fault.target)
    elif fault.kind is Kind.LOCK:
        await stack.engine.lock(fault.seconds)
    elif fault.kind is Kind.FULL:
        await stack.engine.fill(fault.seconds)
    else:
        mood.clocks_set += 1
        stack.set_clock(HOUR_SECONDS if fault.kind is Kind.FORWARD else -HOUR_SECONDS)
        await asyncio.sleep(fault.seconds)
        stack.set_clock(0)
        await asyncio.sleep(CLOCK_SECONDS)
        mood.clocks_set -= 1
