"""Keeping current without webhooks: long polls, which the registry answers as soon as something has changed."""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

from . import snapshot
from .backoff import spread, wait_after
from .cache import Cache
from .connection import Connection
from .errors import NotFoundError, RollcallError, UnexpectedAnswerError
from .wire import Registration

logger = logging.getLogger(__name__)

# A proxy may cut longer silences; and a connection that was dropped silently is noticed only after this time.
LONGEST_WAIT_SECONDS = 20.0
# Early answers in a row without news; changes to the service's other instances wake a poll too.
HASTY_ANSWERS = 3
LONGEST_REST_SECONDS = 5.0


class Follower:
    """Polls in a thread of its own, as long as that is wanted and the registry knows the instance.

    `on_answer` is called after each answer, with whether it could be applied. An answer that could not, or a registry
    that does not know the instance, ends the thread: the membership registers again and calls `start`.
    """

    def __init__(
        self,
        connection: Connection,
        registration: Registration,
        cache: Cache,
        *,
        wait_seconds: float,
        is_wanted: Callable[[], bool],
        on_answer: Callable[[bool], None],
    ) -> None:
        self._connection = connection
        self._registration = registration
        self._cache = cache
        self._wait_seconds = min(wait_seconds, LONGEST_WAIT_SECONDS)
        self._is_wanted = is_wanted
        self._on_answer = on_answer
        self._thread: threading.Thread | None = None
        # Said once, for as long as the process lives.
        self._is_cut_off = False

    def start(self, stopping: threading.Event) -> None:
        """Start the thread unless it runs; it ends soon after `stopping` is set."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._follow, args=(stopping,), name="rollcall-follow", daemon=True)
            self._thread.start()

    def join(self, timeout: float) -> None:
        if self._thread is not None:
            self._thread.join(timeout)

    def abandon(self) -> None:
        """Forget the thread in a forked child: it is the parent's."""
        self._thread = None

    def _follow(self, stopping: threading.Event) -> None:
        failures = hasty = 0
        while self._is_wanted() and not stopping.is_set():
            begun, before, position = time.monotonic(), self._cache.snapshot.providers, self._cache.snapshot.position
            try:
                answer = self._connection.providers(
                    self._registration.service,
                    self._registration.instance,
                    after=max(0, position[1]),
                    wait_seconds=self._wait_seconds,
                )
                if stopping.is_set():
                    return
                after_answer = partial(snapshot.after_asking, answer=answer, asked_at=position)
                is_learnt = self._cache.update(after_answer)
            except NotFoundError:
                is_learnt = False
            except RollcallError as error:
                failures += 1
                if isinstance(error, UnexpectedAnswerError) and not self._is_cut_off:
                    self._is_cut_off = True
                    logger.warning(
                        "%s cannot wait %g s at the registry: %s A proxy that is less patient wants a lower "
                        "verify_seconds; until then changes are known after each try",
                        self._registration.instance,
                        self._wait_seconds,
                        error,
                    )
                stopping.wait(wait_after(error, failures))
                continue
            except Exception:
                # At the end it may be a connection that was closed under it.
                if not stopping.is_set():
                    logger.exception("A fault in following what %s requires", self._registration.service)
                return
            if stopping.is_set():
                return
            self._on_answer(is_learnt)
            if not is_learnt:
                return
            failures = 0
            is_hasty = self._cache.snapshot.providers == before and time.monotonic() - begun < self._wait_seconds / 2
            hasty = hasty + 1 if is_hasty else 0
            if hasty > HASTY_ANSWERS:
                # A registry that answers every poll at once is asked ever less often.
                stopping.wait(spread(min(0.1 * 2 ** min(hasty - HASTY_ANSWERS, 16), LONGEST_REST_SECONDS)))
