"""The life of an instance: register, beat, verify that it is registered as declared, register again, deregister."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from . import drift, snapshot
from .backoff import FIRST_RETRY_SECONDS, spread, wait_after
from .cache import Cache
from .connection import Connection
from .crew import Crew, new_run
from .errors import DeregisteredError, NotFoundError, RollcallError, SupersededError
from .snapshot import Snapshot
from .wire import Change, Registration, Resolution

logger = logging.getLogger(__name__)

# The wait when nothing is due at all, because this run was deregistered.
LONGEST_REST_SECONDS = 60.0
DRAIN_MARGIN = 5.0
# How soon a worker sees what another of its server has stored.
SHARING_SECONDS = 0.25


class Life:
    """`step` does what is due and returns when to call it again; the caller brings the clock and the thread.

    With a crew, only the leading worker registers and beats; each asks for the whole when a webhook left a gap.
    """

    def __init__(
        self,
        connection: Connection,
        registration: Registration,
        cache: Cache,
        *,
        verify_seconds: float,
        crew: Crew | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.registration = registration
        self._connection = connection
        self._cache = cache
        self._crew = crew
        self._clock = clock
        self._verify_seconds = verify_seconds
        # Whether to poll the registry for changes, as no webhook brings them.
        self.is_untold = not registration.notify_url
        self._was_told = False
        self._failures = 0
        # Why the registry could not be asked; None since it answered.
        self.trouble: RollcallError | None = None
        self._is_asking_wanted = False
        # Members that the registry stores otherwise than declared, even after registering again.
        self._tolerated: frozenset[str] = frozenset()
        # The revision at which the registration was last compared with the declaration.
        self._compared_at = -1
        self.begin_anew()

    def begin_anew(self) -> None:
        """Reset to the state before the first step: after the end, and in a forked child."""
        # A deregistered run cannot come back: the next start is another run.
        self._run = new_run()
        self.is_registered = False
        self._was_attempted = False
        self._was_forgotten = False
        self._is_last: bool | None = None
        self._due = {self._register: -math.inf, self._verify: math.inf, self._beat: math.inf}

    def step(self, now: float) -> float:
        """Do what is due; returns the seconds until something is due again."""
        self._cache.refresh()
        wall_time = self._clock()
        if snapshot.after_time(self._cache.snapshot, now=wall_time) is not self._cache.snapshot:
            self._cache.update(lambda known: snapshot.after_time(known, now=wall_time))
        is_asking_wanted, self._is_asking_wanted = self._is_asking_wanted, False
        if self._crew is not None and not self._crew.leads():
            if is_asking_wanted:
                self.ask()
            return SHARING_SECONDS
        if is_asking_wanted and self.is_registered:
            self._due[self._verify] = now
        for action, due in list(self._due.items()):
            if due <= now:
                self._attempt(action, now)
        seconds = min(max(0.0, min(self._due.values()) - now), LONGEST_REST_SECONDS)
        return min(seconds, SHARING_SECONDS) if self._crew else seconds

    def learn(self, change: Change) -> bool:
        """Apply a webhook's change; False when the whole must be asked for, by `want_asking` or `ask`."""
        self._was_told, self.is_untold = True, False
        return self._cache.update(lambda known: snapshot.after_change(known, change))

    def want_asking(self) -> None:
        """Ask for the whole at the next step."""
        self._is_asking_wanted = True

    def ask(self) -> None:
        """Ask for the whole now, registering again if need be; a failure is left to the next verification."""
        try:
            try:
                self._verify()
            except NotFoundError:
                self._was_forgotten = True
                self._register()
        except RollcallError as error:
            logger.info("Could not ask the registry for the providers: %s", error)

    def drain(self, seconds: float) -> bool:
        """Have the registry stop offering the instance while this process still serves; then only `end` is due.

        Among the workers of one server the last to leave does so. False where there is nothing to wait for, as the
        registry does not know the instance or cannot be reached.
        """
        is_superseded = isinstance(self.trouble, SupersededError)
        is_known = self.is_registered or (self._crew is not None and not is_superseded)
        self._is_last = self._leaves_nobody()
        if not (is_known and self._is_last):
            return is_known
        try:
            reason = "its process was told to end"
            # With a margin: a process that is killed meanwhile is deregistered all the same.
            self._connection.drain(
                self.registration.service, self.registration.instance, seconds=seconds + DRAIN_MARGIN, reason=reason
            )
        except RollcallError as error:
            logger.info("%s could not be drained: %s", self._name, error)
            return False
        return True

    def end(self, *, deregisters: bool = True) -> None:
        """Deregister, unless other workers of the same server live on."""
        is_last = self._leaves_nobody() if self._is_last is None else self._is_last
        try:
            if is_last and deregisters:
                self._connection.deregister(
                    self.registration.service, self.registration.instance, incarnation=self._incarnation
                )
                logger.info("Deregistered %s", self._name)
        except RollcallError as error:
            logger.warning("%s could not be deregistered; its heartbeats will fail instead: %s", self._name, error)
        finally:
            self.begin_anew()
            if self._crew:
                self._crew.close()

    def _leaves_nobody(self) -> bool:
        return self._crew.leave() if self._crew else self._was_attempted

    @property
    def _name(self) -> str:
        return f"{self.registration.service}/{self.registration.instance}"

    @property
    def _incarnation(self) -> str:
        return self.registration.incarnation or (self._crew.run if self._crew else self._run)

    @property
    def _beat_seconds(self) -> float:
        """A third of the time the registry allows, so that two beats may be lost."""
        heartbeat = self.registration.heartbeat
        return heartbeat.interval_seconds / 3 if heartbeat.kind == "ttl" else math.inf

    def _attempt(self, action: Callable[[], float], now: float) -> None:
        try:
            self._due[action] = now + action()
        except (DeregisteredError, SupersededError) as error:
            # A superseded run leaves the registration to its successor: another incarnation would take it back.
            logger.warning("%s stays away from the registry until it is started again: %s", self._name, error)
            self.is_registered, self.trouble = False, error
            self._due = dict.fromkeys(self._due, math.inf)
        except RollcallError as error:
            if isinstance(error, NotFoundError) and action != self._register:
                logger.warning("The registry no longer knows %s: registering again", self._name)
                self.is_registered, self._was_forgotten = False, True
                self._due = {
                    self._register: now + spread(FIRST_RETRY_SECONDS),
                    self._verify: math.inf,
                    self._beat: math.inf,
                }
            else:
                if not self._failures:
                    logger.warning("%s keeps the providers it knows and retries: %s", self._name, error)
                self._failures += 1
                self.trouble = error
                self._due[action] = now + wait_after(error, self._failures)
        else:
            if self._failures:
                logger.info("The registry answers %s again", self._name)
            self._failures, self.trouble = 0, None
            if action == self._register:
                self._due = {
                    self._register: math.inf,
                    self._verify: now + spread(self._verify_seconds),
                    # The first beat comes at once: until then the instance is not passing.
                    self._beat: now if self._beat_seconds < math.inf else math.inf,
                }

    def _register(self) -> float:
        self._was_attempted = True
        position = self._cache.snapshot.position
        answer = self._connection.register(replace(self.registration, incarnation=self._incarnation))
        self._cache.update(
            lambda known: snapshot.after_registering(
                known,
                answer,
                asked_at=position,
                was_forgotten=self._was_forgotten,
                remember_until=self._clock() + snapshot.REMEMBERED_SECONDS,
            )
        )
        self._was_forgotten = False
        self._tolerated = drift.differences(self.registration, answer.instance)
        self._compared_at = answer.revision
        # Set last: a reader of `is_registered` may rely on the answer having been applied.
        was_registered, self.is_registered = self.is_registered, True
        if not was_registered:
            logger.info("Registered %s at %s, revision %s", self._name, self.registration.url, answer.revision)
        return math.inf

    def _verify(self) -> float:
        position = self._cache.snapshot.position
        answer = self._connection.providers(self.registration.service, self.registration.instance)
        if not self._cache.update(partial(self._after_asking, answer=answer, asked_at=position)):
            self._register()
        elif self.is_registered and answer.revision != self._compared_at:
            # Every edit of a registration has a revision.
            kept = self._connection.instance(self.registration.service, self.registration.instance)
            self._compared_at = answer.revision
            found = drift.differences(self.registration, kept)
            if found - self._tolerated:
                changed = ", ".join(sorted(found))
                logger.warning("%s is not registered as declared (%s): registering again", self._name, changed)
                self._register()
        return spread(self._verify_seconds)

    def _after_asking(self, known: Snapshot, *, answer: Resolution, asked_at: tuple[int, int]) -> Snapshot | None:
        after = snapshot.after_asking(known, answer, asked_at=asked_at)
        is_news = after is not None and after.providers != known.providers
        if is_news and not self._was_told and not self.is_untold:
            url = self.registration.notify_url
            logger.warning("%s missed a change: can the registry reach %s? Polling it instead", self._name, url)
            self.is_untold = True
        self._was_told = False
        return after

    def _beat(self) -> float:
        self._connection.beat(self.registration.service, self.registration.instance)
        return self._beat_seconds
