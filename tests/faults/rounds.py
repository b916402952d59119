"""A run: round after round of faults on one registry, each followed by quiet, and by the checker."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from tests.faults import figures, rules, schedule, timeouts
from tests.faults.calls import Registry
from tests.faults.history import Entry, Failure, History, Shortage, Span, State
from tests.faults.injection import inject_all
from tests.faults.processes import SERVER, Stack
from tests.faults.schedule import Fault, Possible
from tests.faults.scripts import Script, all_of
from tests.faults.services import Fleet

START_SECONDS = 120.0
# The goal; docs/reliability.md says what may take longer, and why.
GOAL_SECONDS = 10.0
# After so long without convergence it never comes.
PATIENCE_SECONDS = 90.0
LOOK_SECONDS = 0.2
# Less is in everybody's way all the time.
SHORT_SECONDS = 0.02


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A round: what was done, how long after the last fault all was right, and what is wrong."""

    faults: Sequence[Fault]
    converged_seconds: float
    # For so long the server and this process waited for a processor meanwhile, all their threads together.
    short_seconds: float
    # The last differences to disappear.
    last: str
    violations: Sequence[str]

    @property
    def is_late(self) -> bool:
        return self.converged_seconds > GOAL_SECONDS


class Run:
    """One registry and the services around it, for as many rounds as there is time."""

    def __init__(self, stack: Stack, *, seed: int, services: int = 15, instances: int = 4) -> None:
        self._stack = stack
        self._seed = seed
        self._size = services, instances
        self.history = History()
        self._known_violations: set[str] = set()

    async def start(self) -> None:
        await self._stack.start()
        self.history.probers = self._stack.probers
        services, instances = self._size
        self._registry = Registry(self._stack.url, self._stack.token, self.history)
        self._fleet = Fleet(
            self._registry,
            self.history,
            seed=self._seed,
            address=self._stack.address,
            services=services,
            instances=instances,
        )
        deadline = time.monotonic() + START_SECONDS
        while (await self._registry.call("GET", "/readyz")).status != 200:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the registry did not become ready: see {self._stack.directory}")
            await asyncio.sleep(LOOK_SECONDS)
        self._attending = asyncio.create_task(self._attend())
        self._fleet.live()
        await self._converge()

    async def stop(self) -> None:
        if hasattr(self, "_attending"):
            self._attending.cancel()
        if hasattr(self, "_fleet"):
            await self._fleet.end()
            await self._registry.close()
        await self._stack.stop()

    @property
    def possible(self) -> Possible:
        return self._stack.possible

    def plan(self, number: int, **members: float) -> list[Fault]:
        return schedule.plan(self._stack.possible, seed=self._seed, number=number, **members)

    async def round(self, faults: Sequence[Fault], scripts: Sequence[Script] = ()) -> Outcome:
        """Do the faults while everybody lives on; then be quiet until all is right, and check everything."""
        self._fleet.live()
        _, found = await asyncio.gather(
            inject_all(faults, self._stack, self._fleet.mood, self.history), all_of(scripts, self._registry)
        )
        self._fleet.calm()
        shortages = len(self.history.shortages)
        seconds, state, last = await self._converge()
        short_seconds = sum(each.seconds for each in self.history.shortages[shortages:])
        for member in self._fleet.members:
            member.note_watch()
        await self._read_journal()
        violations = [
            each for each in (*found, *rules.check(self.history, state)) if each not in self._known_violations
        ]
        # The history is checked from its beginning, and says the same again after each further round.
        self._known_violations.update(violations)
        return Outcome(
            faults=faults,
            converged_seconds=seconds,
            short_seconds=short_seconds,
            last=last,
            violations=violations,
        )

    async def _converge(self) -> tuple[float, State, str]:
        """Wait until nothing is wrong, or for so long that it never will be; how long, and what was wrong last."""
        self._fleet.calm()
        began, last = time.monotonic(), ""
        while True:
            state = await self._fleet.state()
            elapsed = time.monotonic() - began
            wrong = rules.wrong(state) if state else ["the registry does not answer"]
            if not self._fleet.is_settled:
                wrong.append("a service waits for an answer to a change")
            if state and (not wrong or elapsed > PATIENCE_SECONDS):
                return elapsed, state, last
            if elapsed > 2 * PATIENCE_SECONDS:
                raise TimeoutError(f"the registry does not answer for {elapsed:.0f} s")
            last = wrong[0] + (f" and {len(wrong) - 1} more" if len(wrong) > 1 else "")
            await asyncio.sleep(LOOK_SECONDS)

    async def _attend(self) -> None:
        """Note when the server began and did not answer yet, and when it or this process had no processor."""
        server = self._stack.processes[SERVER]
        known, before, waited = 0.0, time.time(), 0.0
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now, waited_before = time.time(), waited
            waited = server.waited_seconds
            # A further process begins to count anew.
            short = max(0.0, waited - waited_before) + max(0.0, now - before - LOOK_SECONDS)
            if short > SHORT_SECONDS:
                self.history.shortages.append(Shortage(at=now, seconds=short))
            if known < server.started_at < self._registry.answered_at:
                known = server.started_at
                self.history.beginnings.append(Span(since=known, until=now))
            before = now

    async def _read_journal(self) -> None:
        """All of it, anew."""
        entries: list[Entry] = []
        after: int | None = 0
        while after is not None:
            reply = await self._registry.call("GET", f"/v1/journal?after={after}&limit=1000")
            if reply.status != 200:
                await asyncio.sleep(LOOK_SECONDS)
                continue
            entries.extend(
                Entry(
                    revision=each["revision"],
                    at=datetime.fromisoformat(each["at"]).timestamp(),
                    change=each["change"],
                    key=(each["service"], each["instance"]),
                )
                for each in reply.body["entries"]
                if each["instance"]
            )
            after = reply.body["next"]
        self.history.earlier, self.history.journal = self.history.journal, entries

    def figures(self) -> list[str]:
        """The figures so far, in sentences."""
        writes = self.history.writes
        unanswered = Counter(write.failure for write in writes if write.failure)
        statuses = Counter(write.status for write in writes if write.status)
        return [
            f"to detect a death: {figures.detection(self.history)}",
            f"to tell a dependent: {figures.telling(self.history)}",
            f"{len(writes)} writes: "
            + ", ".join(f"{count} answered {status}" for status, count in sorted(statuses.items()))
            + "".join(f", {unanswered[failure]} {failure}" for failure in Failure if unanswered[failure])
            + f"; {len(self.history.journal)} journal entries, {len(self.history.told)} webhooks, "
            + f"{sum(len(watch.probes) for watch in self.history.watches)} probes",
            *timeouts.sentences(self.history),
        ]

    def keep(self, directory: Path) -> Path:
        """Write the history down for whoever looks for the cause; where."""
        path = directory / "history.json"
        with suppress(OSError):
            path.write_text(json.dumps(asdict(self.history), default=sorted, indent=1))
        return path
