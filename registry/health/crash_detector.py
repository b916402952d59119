"""Distinguishes a peer that may have died from one that only closes idle connections, by how connections close.

The prober keeps it beside its connections, in one thread. Times are readings of one monotonic clock, in seconds.
"""

from dataclasses import dataclass, field

from registry.outbound.client import Origin

# A refusal within this time of an unexpected close is conclusive.
CONCLUSIVE_SECONDS = 5.0
# No second alarm for an origin within this time of the first, and twice as long after each false one.
QUIET_SECONDS = 1.0
LONGEST_QUIET_SECONDS = 300.0
# A peer that has closed idle connections so often and lived is known to close them.
ALARMS_TO_LEARN = 2
# A peer known to close after 5 s raises no alarm from 4.5 s on.
EARLINESS = 0.9
MOST_PEERS = 100_000


@dataclass(slots=True)
class Peer:
    """The behaviour of one origin so far."""

    # The instances that were found passing through it since the last alarm.
    instances: dict[int, None] = field(default_factory=dict)
    passed_at: float = 0.0
    # When it last closed a connection unexpectedly; None once that is explained.
    closed_at: float | None = None
    idle_seconds: float = 0.0
    is_alarmed: bool = False
    # It has refused a connection since that close.
    has_refused: bool = False
    quiet_until: float = 0.0
    false_alarms: int = 0
    # The idle time after which it closes connections.
    tires_after: float | None = None
    # When its port was found closed.
    stopped_at: float | None = None


class CrashDetector:
    """Raises few alarms: one instance of an origin is probed again first, the others when that one is dead."""

    def __init__(self) -> None:
        self._peers: dict[Origin, Peer] = {}

    def see_pass(self, origin: Origin, instance_id: int, *, was_reused: bool, now: float) -> None:
        """Note that an instance passes there, which explains an earlier close."""
        peer = self._peers.get(origin)
        if peer is None:
            while len(self._peers) >= MOST_PEERS:
                del self._peers[next(iter(self._peers))]
            peer = self._peers[origin] = Peer()
        if peer.closed_at is not None:
            _explain(peer, now)
        elif was_reused and now - peer.passed_at > (peer.tires_after or 0.0):
            # A connection has lived longer than what was learned.
            peer.tires_after, peer.false_alarms = None, 0
        peer.passed_at = now
        peer.instances[instance_id] = None

    def see_close(self, origin: Origin, idle_seconds: float, *, now: float) -> int | None:
        """Note a close; returns the instance to probe at once, if it is an alarm."""
        peer = self._peers.get(origin)
        if peer is None or (peer.tires_after is not None and idle_seconds >= peer.tires_after):
            return None
        if peer.closed_at is None:
            peer.idle_seconds = idle_seconds
        peer.closed_at = now
        if now < peer.quiet_until or not peer.instances:
            return None
        peer.is_alarmed, peer.quiet_until = True, now + QUIET_SECONDS
        scout, _ = peer.instances.popitem()
        return scout

    def see_stop(self, origin: Origin, *, now: float) -> int | None:
        """Note that nothing listens there any longer; returns the instance to probe at once."""
        peer = self._peers.get(origin)
        if peer is None or (peer.stopped_at is not None and now - peer.stopped_at < QUIET_SECONDS):
            return None
        peer.closed_at = peer.stopped_at = now
        if not peer.instances:
            return None
        scout, _ = peer.instances.popitem()
        return scout

    def see_refusal(self, origin: Origin, *, now: float) -> bool:
        """Whether a connection refused now means that the peer's process is gone."""
        peer = self._peers.get(origin)
        if peer is None or peer.closed_at is None:
            return False
        peer.has_refused = True
        return now - peer.closed_at <= CONCLUSIVE_SECONDS

    def take_fellows(self, origin: Origin) -> list[int]:
        """The other instances of an origin that is dead; each is returned once."""
        peer = self._peers.get(origin)
        if peer is None:
            return []
        fellows, peer.instances = list(peer.instances), {}
        return fellows


def _explain(peer: Peer, now: float) -> None:
    """Learn from a close after which the peer passes.

    Only when the instance sent after the alarm was answered at once, and never refused, has the same process lived on:
    that alarm was false. After a refusal it is a new process, which may crash as its predecessor did; later than that
    nobody knows.
    """
    assert peer.closed_at is not None
    if peer.has_refused:
        peer.quiet_until = 0.0
    elif peer.is_alarmed and now - peer.closed_at <= CONCLUSIVE_SECONDS:
        peer.false_alarms += 1
        tires_after = peer.idle_seconds * EARLINESS
        if peer.false_alarms >= ALARMS_TO_LEARN:
            peer.tires_after = tires_after if peer.tires_after is None else min(tires_after, peer.tires_after)
        peer.quiet_until = now + min(QUIET_SECONDS * 2**peer.false_alarms, LONGEST_QUIET_SECONDS)
    peer.closed_at, peer.is_alarmed, peer.has_refused = None, False, False
