"""The webhooks' half of a worker process: claims the dependents that lag, sends to each, and writes the outcomes."""

import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from django.utils import timezone

from registry import redis_client, wakeups
from registry.database import retry
from registry.instances.declaration import address_policy
from registry.outbound import urls
from registry.outbound.client import Outcome
from registry.outbound.pipeline import Intake, Pipeline
from registry.webhooks import cursors, wait_counts
from registry.webhooks.compose import Message
from registry.webhooks.cursors import Attempt
from registry.webhooks.failures import log_failures
from registry.webhooks.host_limits import Address, Hosts
from registry.webhooks.sender import Sender
from registry.webhooks.token_rates import TokenRates

CAPACITY = 8000
BATCH = 1000
# A longer exchange without a whole answer would hold a place that others wait for.
PATIENCE_MS = 1000.0
# No message is under way for longer, whatever its outcome.
LONGEST_SECONDS = 40.0
# How long to wait for the database to store an outcome: unwritten, the webhook is sent again.
OUTLAST_SECONDS = 30.0


class WebhookWorker:
    """Keeps the webhooks under way in this process, and how many may go to each host."""

    def __init__(
        self,
        *,
        pipeline: Intake[Message] | None = None,
        wake: Callable[[], None] = wakeups.wake_notifications,
        rates: TokenRates | None = None,
    ) -> None:
        self.hosts = Hosts()
        self._wait_counts = wait_counts.counts(redis_client.connect())
        self._rates = rates or TokenRates(count=self._wait_counts.add)
        self._wake = wake
        # Until when each message under way is claimed, by its instance and the end of its first lease.
        self._leases: dict[tuple[int, float], float] = {}
        # A claim is renewed or settled, by two threads, one after the other.
        self._settling = threading.Lock()
        self.pipeline: Intake[Message] = pipeline or Pipeline[Message, Outcome, Attempt](
            lambda: LimitedSender(Sender(address_policy()), self.hosts), self.write, name="courier", capacity=CAPACITY
        )

    def sweep(self, *, now: datetime) -> None:
        """Claim every dependent that lags, as far as there is room, and send to it."""
        self._renew(now=now.timestamp())
        self._wait_counts.flush()
        while self.pipeline.room > 0:
            limit = min(BATCH, self.pipeline.room)
            left_alone = self.hosts.release()
            claimed = cursors.claim(now=now, limit=limit, left_alone=left_alone)
            waits = self._rates.waits(claimed)
            sent, refused = admitted([each for each in claimed if each.instance_id not in waits], self.hosts)
            with self._settling:
                self._leases.update({(each.instance_id, each.lease_until): each.lease_until for each in sent})
            # First, so that all admitted ones are settled, whatever happens to the others.
            self.pipeline.submit(sent)
            for message in refused:
                self._rates.give_back(message.instance_id)
            cursors.put_back(refused, now=now)
            self._put_off(claimed, waits, now=now)
            if not cursors.lagging(now=now.timestamp(), left_alone=self.hosts.waiting()):
                return

    def write(self, attempts: Sequence[Attempt]) -> None:
        """Write the outcomes of a group of webhooks; there may be more to send afterwards."""
        with self._settling:
            held = []
            for attempt in attempts:
                message = attempt.message
                # The claim may have been renewed meanwhile.
                lease_until = self._leases.pop((message.instance_id, message.lease_until), message.lease_until)
                held.append(replace(attempt, message=replace(message, lease_until=lease_until)))
            retry.outlast(lambda: cursors.record(held, now=timezone.now()), seconds=OUTLAST_SECONDS)
        log_failures(attempts)
        if cursors.lagging(now=time.time(), left_alone=self.hosts.waiting()):
            self._wake()

    def _put_off(self, messages: Sequence[Message], waits: Mapping[int, float], *, now: datetime) -> None:
        """Put back the messages that have to wait, those of one second by one statement."""
        by_second = defaultdict(list)
        for message in messages if waits else ():
            if message.instance_id in waits:
                by_second[math.ceil(waits[message.instance_id])].append(message)
        for seconds, some in by_second.items():
            cursors.put_back(some, now=now, seconds=seconds)

    def _renew(self, *, now: float) -> None:
        with self._settling:
            ending = defaultdict(list)
            for key, lease_until in tuple(self._leases.items()):
                if key[1] + LONGEST_SECONDS < now:
                    del self._leases[key]
                elif lease_until < now + cursors.RENEW_BEFORE_SECONDS:
                    ending[lease_until].append(key)
            renewed = now + cursors.LEASE_SECONDS
            for lease_until, keys in ending.items():
                ours = cursors.renew([pk for pk, _ in keys], lease_until=lease_until, to=renewed)
                for key in keys:
                    if key[0] in ours:
                        self._leases[key] = renewed
                    else:
                        del self._leases[key]


class LimitedSender:
    """Sends admitted messages, and settles each with its host. Belongs to the running event loop."""

    def __init__(self, sender: Sender, hosts: Hosts) -> None:
        self._sender = sender
        self._hosts = hosts

    def start(self, message: Message, on_outcome: Callable[[Outcome], None]) -> None:
        """Begin to send an admitted message."""
        try:
            self._sender.start(message, on_outcome)
        except Exception:
            self._hosts.settle(address(message), has_answered=True)
            raise

    def conclude(self, message: Message, outcome: Outcome) -> Attempt:
        self._hosts.settle(address(message), has_answered=has_answered(outcome))
        return self._sender.conclude(message, outcome)

    async def close(self) -> None:
        await self._sender.close()


def admitted(messages: Sequence[Message], hosts: Hosts) -> tuple[list[Message], list[Message]]:
    """The messages that may be sent now, and those to put back, whose dependents wait for a place."""
    sent: list[Message] = []
    refused: list[Message] = []
    for message in messages:
        where = address(message)
        if hosts.admit(where):
            sent.append(message)
            hosts.wait_no_longer(message.instance_id)
        else:
            refused.append(message)
            hosts.wait(where, message.instance_id)
    return sent, refused


def has_answered(outcome: Outcome) -> bool:
    """Whether the host answered. A fast failure does not count as hanging."""
    error = outcome.error
    return error is None or error.is_ours or outcome.latency_ms < PATIENCE_MS


def address(message: Message) -> Address:
    """The host and port of a message; empty for a malformed URL, which the exchange reports."""
    try:
        origin = urls.parse(message.url).origin
    except ValueError:
        return "", 0
    return origin.host, origin.port
