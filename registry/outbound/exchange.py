"""One exchange, from its start to its outcome."""

import logging
from collections.abc import Callable
from time import perf_counter
from typing import Protocol

from registry.outbound.timer_wheel import Timers
from registry.outbound.types import Error, Outcome, Request, Timeouts
from registry.outbound.urls import Origin

logger = logging.getLogger(__name__)


class Carrier(Protocol):
    """The connection on which an exchange runs."""

    @property
    def has_answered(self) -> bool: ...

    def fail(self, error: Error, detail: str) -> None: ...


class Opening(Protocol):
    """The making of a connection for an exchange."""

    def try_next(self) -> bool: ...

    def end(self) -> None: ...


class Exchange:
    """Ends exactly once, with `finish`; once begun it is on the wheel, with the deadline of its phase."""

    __slots__ = (
        "carrier",
        "ends_at",
        "is_held",
        "is_resolved",
        "is_retried",
        "is_reused",
        "on_outcome",
        "on_silence",
        "opening",
        "origin",
        "request",
        "started",
        "tick",
        "timeouts",
        "wheel",
    )

    def __init__(
        self,
        request: Request | None,
        origin: Origin,
        timeouts: Timeouts,
        on_outcome: Callable[[Outcome], None],
        wheel: Timers,
    ) -> None:
        # None for a TCP probe.
        self.request = request
        self.origin = origin
        self.timeouts = timeouts
        self.on_outcome: Callable[[Outcome], None] | None = on_outcome
        # Called once where a connection that was kept gives no byte for half its time.
        self.on_silence: Callable[[Exchange], None] | None = None
        self.wheel = wheel
        self.started = perf_counter()
        self.ends_at = self.started + timeouts.total
        # On the wheel; 0 before it is.
        self.tick = 0
        self.carrier: Carrier | None = None
        self.opening: Opening | None = None
        self.is_resolved = False
        # Its connection is kept when it stands, and nothing is asked on it.
        self.is_held = False
        self.is_reused = False
        self.is_retried = False

    @property
    def is_finished(self) -> bool:
        return self.on_outcome is None

    def restart_clock(self) -> None:
        self.started = perf_counter()
        self.ends_at = self.started + self.timeouts.total

    def begin_resolving(self) -> None:
        self._bound(perf_counter() + self.timeouts.resolve)

    def begin_connecting(self, ends_at: float) -> None:
        self.is_resolved = True
        self._bound(ends_at)

    def begin_answer(self, carrier: Carrier) -> None:
        self.carrier = carrier
        self.opening = None
        if self.is_reused:
            self._bound(self.started + self.timeouts.first_byte * (1 if self.on_silence is None else 0.5))
        else:
            self._bound(perf_counter() + self.timeouts.first_byte)

    def begin_again(self) -> None:
        """Begin again on a new connection, within the same total time."""
        self.carrier = None
        self.is_reused = False
        self.is_retried = True

    def expire(self, now: float) -> None:
        if self.on_outcome is None:
            return
        if self.carrier is not None:
            on_silence, self.on_silence = self.on_silence, None
            if not self.carrier.has_answered and self.is_reused and on_silence is not None:
                self._bound(self.started + self.timeouts.first_byte)
                on_silence(self)
            elif not self.carrier.has_answered:
                detail = f"{self.origin} did not begin to answer within {self.timeouts.first_byte:g} s."
                self.carrier.fail(Error.TIMEOUT, detail)
            elif now < self.ends_at:
                self.wheel.add(self, self.ends_at)
            else:
                detail = f"{self.origin} did not end its answer within {self.timeouts.total:g} s."
                self.carrier.fail(Error.TIMEOUT, detail)
        elif self.opening is not None and now < self.ends_at and self.opening.try_next():
            return
        elif self.is_resolved:
            self.fail(Error.CONNECT_TIMEOUT, f"{self.origin} accepted no connection within {now - self.started:.2g} s.")
        else:
            self.fail(Error.RESOLVE_FAILED, f"{self.origin.host} did not resolve within {now - self.started:.2g} s.")

    def take(self, outcome: Outcome, other: "Exchange") -> None:
        """Finish with what another exchange for the same request was answered, and give the connection up."""
        carrier, self.started = self.carrier, other.started
        self.finish(outcome, perf_counter())
        if carrier is not None:
            carrier.fail(Error.TIMEOUT, "")

    def fail(self, error: Error, detail: str) -> None:
        self.finish(Outcome(error=error, detail=detail, reused=self.is_reused), perf_counter())

    def finish(self, outcome: Outcome, now: float) -> None:
        on_outcome, self.on_outcome = self.on_outcome, None
        if on_outcome is None:
            return
        if self.tick:
            self.wheel.remove(self)
        self.carrier = None
        if self.opening is not None:
            opening, self.opening = self.opening, None
            opening.end()
        outcome.latency_ms = (now - self.started) * 1000
        try:
            on_outcome(outcome)
        except Exception:
            # Raised here it would end the wheel's turn or another exchange's connection.
            logger.exception("The callback of an exchange failed")

    def fail_soon(self, error: Error, detail: str) -> None:
        self.finish_soon(Outcome(error=error, detail=detail))

    def finish_soon(self, outcome: Outcome) -> None:
        """Finish in the loop's next turn, so that callbacks that start the next exchange do not nest ever deeper."""
        self.wheel.loop.call_soon(self.finish, outcome, perf_counter())

    def cancel(self) -> None:
        """End it without calling its callback."""
        if self.on_outcome is None:
            return
        self.on_outcome = ignore
        if self.carrier is not None:
            self.carrier.fail(Error.CLIENT_CLOSED, "")
        else:
            self.fail(Error.CLIENT_CLOSED, "")

    def _bound(self, at: float) -> None:
        if self.tick:
            self.wheel.remove(self)
        self.wheel.add(self, at if at < self.ends_at else self.ends_at)


def ignore(outcome: Outcome) -> None:
    """The callback of an exchange whose outcome is of no interest."""
