"""Empties the spool in a background thread."""

import threading
import time
from collections.abc import Callable

from .complaints import Complaints
from .delivery import Delivery
from .spool import Spool

# Records that come within this time travel together.
GATHERING_SECONDS = 0.2
ADOPTION_SECONDS = 30.0
PAUSE_AFTER_FAULT_SECONDS = 10.0


class Sender:
    """Sends in rounds: when records were spooled, when flushed, when a pause is over, and to adopt orphans.

    `make_delivery` is called in the thread: making an HTTP client takes longer than a logging call may.
    """

    def __init__(self, spool: Spool, make_delivery: Callable[[], Delivery], *, complaints: Complaints) -> None:
        self._spool = spool
        self._make_delivery = make_delivery
        self._complaints = complaints
        self._delivery: Delivery | None = None
        self._condition = threading.Condition()
        self._has_news = False
        self._stopping = False
        self._is_woken = False
        # Flushes are numbered: all up to `_answered` have had a round that began after they were asked for.
        self._asked = 0
        self._answered = 0
        self._adopted_at = float("-inf")
        self._thread = threading.Thread(target=self._run, name="logsvc", daemon=True)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def is_current_thread(self) -> bool:
        return threading.current_thread() is self._thread

    def start(self) -> None:
        """Start the thread. Raises RuntimeError when the interpreter makes no threads any more."""
        self._thread.start()

    def notify(self) -> None:
        """Tell the thread that something was spooled."""
        # The check spares the lock in a burst of records. A caller that reads a stale True is served by the coming
        # round, because a round takes the news before it looks into the spool.
        if not self._has_news:
            with self._condition:
                self._has_news = True
                self._condition.notify_all()

    def wake(self) -> None:
        """End a pause: the log service is reported to be back."""
        with self._condition:
            self._is_woken = True
            self._condition.notify_all()

    def flush(self, timeout_seconds: float) -> None:
        """Wait until all that was spooled before is sent, or cannot be sent now, or the time is over."""
        with self._condition:
            self._asked += 1
            ticket = self._asked
            self._condition.notify_all()
            self._condition.wait_for(lambda: self._answered >= ticket or not self.is_alive, timeout_seconds)

    def stop(self, timeout_seconds: float) -> None:
        """Stop after the round that is running."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        self._thread.join(timeout_seconds)

    def _run(self) -> None:
        pause: float | None = 0.0
        while not self._stopping:
            with self._condition:
                # Wait for a reason to send, or out the pause.
                if pause is None:
                    self._condition.wait_for(lambda: self._has_news or self._is_urgent(), ADOPTION_SECONDS)
                    pause = GATHERING_SECONDS
                self._condition.wait_for(self._is_urgent, pause)
                self._has_news = False
                if self._is_woken and self._delivery is not None:
                    self._delivery.begin_again()
                self._is_woken = False
                # The flushes that this round answers.
                asked = self._asked
            try:
                if self._delivery is None:
                    self._delivery = self._make_delivery()
                if time.monotonic() - self._adopted_at > ADOPTION_SECONDS:
                    self._adopted_at = time.monotonic()
                    self._spool.adopt()
                pause = self._delivery.run(until=lambda: self._stopping)
            except Exception as error:
                # Whatever the error, this thread goes on: the records are in the spool, and no other would send them.
                self._complaints.say(type(error).__name__, f"{type(error).__name__} while sending: {error}")
                pause = PAUSE_AFTER_FAULT_SECONDS
            with self._condition:
                self._answered = asked
                self._condition.notify_all()
        if self._delivery is not None:
            self._delivery.close()

    def _is_urgent(self) -> bool:
        return self._asked > self._answered or self._stopping or self._is_woken
