"""The heartbeats' half of a worker process: claims what is due, has it probed, and writes the results."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from django.conf import settings
from django.utils import timezone

from registry import redis_client
from registry.database import retry
from registry.health import deadlines, leases, probe_counts, protection, results
from registry.health.canary import Canary
from registry.health.probe import FAILED, Due, Finding, Result
from registry.health.prober import Prober
from registry.health.rises import Rises
from registry.health.start_delay import Delays
from registry.health.watchdog import Part, Signer
from registry.instances.declaration import address_policy
from registry.models import Status
from registry.outbound.client import Outcome
from registry.outbound.pipeline import Intake, Pipeline

CAPACITY = 40_000
BATCH = 2000
# A tick claims what falls due before the next one, and it is probed to the moment; a tick may be late by more
# than a second before any probe is.
AHEAD_SECONDS = leases.MOST_AHEAD_SECONDS
# How often it is looked for times that a clock ahead has stored.
CLOCK_LOOK_SECONDS = 4.0
# How often, at most, a sweep does more than claim. Beat calls for one every second, and so may each registration, which
# on SQLite would wait while the one for the registration before it writes.
UPKEEP_SECONDS = 0.5
LINGER_SECONDS = 0.2
# A result is useless once its lease has run out.
OUTLAST_SECONDS = 15.0


class HeartbeatWorker:
    """Keeps the probes under way in this process, and the counts yet to be written."""

    def __init__(self, signer: Signer, *, pipeline: Intake[Due] | None = None) -> None:
        self.canary = Canary(settings.CANARY_URLS)
        self.delays = Delays(redis_client.connect())
        self.counts = probe_counts.Unwritten()
        self.rises = Rises()
        self._signer = signer
        self._clock_looked_at = -CLOCK_LOOK_SECONDS
        self._kept_up_at = 0.0
        self.pipeline: Intake[Due] = pipeline or Pipeline[Due, Outcome | None, Result](
            self._prober,
            self.write,
            name="prober",
            capacity=CAPACITY,
            linger_seconds=LINGER_SECONDS,
            is_urgent=is_news,
        )

    def sweep(self, *, now: float) -> None:
        """Claim and probe all that is due, as far as there is room; enforce the deadlines."""
        is_upkeep = not 0 <= now - self._kept_up_at < UPKEEP_SECONDS
        if is_upkeep:
            self._begin_upkeep(now=now)
            # Not before: what failed is tried by the next sweep, which would claim before a gap was noted.
            self._kept_up_at = now
        while self.pipeline.room > 0:
            limit = min(BATCH, self.pipeline.room)
            due = leases.claim(now=now, limit=limit, ahead=AHEAD_SECONDS)
            self.pipeline.submit(due)
            if len(due) < limit:
                break
        if is_upkeep:
            deadlines.enforce(now=datetime.fromtimestamp(now, UTC))
            self.counts.flush(now=now)

    def write(self, found: Sequence[Result]) -> None:
        """Write the results of a group of probes."""
        has_failures = any(result.finding in FAILED for result in found)
        is_cut_off = has_failures and self.canary.is_silent()
        kept = retry.outlast(
            lambda: results.record(found, is_cut_off=is_cut_off, rises=self.rises, now=timezone.now()),
            seconds=OUTLAST_SECONDS,
        )
        # A late result says nothing of an instance that was deregistered or has moved meanwhile.
        self.counts.see(kept, now=time.time())
        self.delays.flush()
        self._signer.leave(Part.PROBES, now=time.time())

    def end(self) -> None:
        """End the probes under way, and write the counts that would be lost with the process."""
        self.pipeline.stop()
        self.counts.flush(now=time.time(), is_last=True)

    def _begin_upkeep(self, *, now: float) -> None:
        self._signer.leave(Part.HEARTBEATS, now=now)
        if time.monotonic() - self._clock_looked_at >= CLOCK_LOOK_SECONDS:
            self._clock_looked_at = time.monotonic()
            leases.release_far(now=now)
            deadlines.begin_anew(now=datetime.fromtimestamp(now, UTC))
        protection.tick(is_cut_off=self.canary.is_silent(), now=now)

    def _prober(self) -> Prober:
        # The pipeline prepares itself while it is made, and is there when an alarm is.
        return Prober(address_policy(), on_alarm=lambda due: self.pipeline.submit(due), delays=self.delays)


def is_news(result: Result) -> bool:
    """Whether the result may change the status; a pass after a pass can wait to be written."""
    due = result.due
    return result.finding is not Finding.SUCCESS or due.status != Status.PASSING or bool(due.is_suspect)
