"""A service as a member of the registry: its life in a thread, and what its code asks about its providers."""

import asyncio
import logging
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2

from . import calling, departure, receiver
from .cache import Cache
from .choosing import Chooser
from .connection import Connection
from .crew import Crew
from .errors import NoProviderError, NotRequiredError, RollcallError
from .following import Follower
from .life import Life
from .listeners import Listener, Listeners
from .snapshot import NOTHING_KNOWN
from .state import State, directory_of, with_secret
from .wire import Change, Provider, Registration

logger = logging.getLogger(__name__)

VERIFY_SECONDS = 30.0
# As long as it takes callers of the instance to hear that they should call another.
DRAIN_SECONDS = 0.5
# The age of what is read without a thread to refresh it: in a forked child, before `start` and after `stop`.
PASSIVE_SECONDS = 0.25
AFTER_FAULT_SECONDS = 5.0
# The time for the registry's last answer to arrive.
FOLLOWER_ENDS_SECONDS = 0.2


class Member:
    """The base of Membership and AsyncMembership; it owns its connection and closes it."""

    def __init__(
        self,
        connection: Connection,
        registration: Registration,
        *,
        state_dir: Path | str | None = None,
        verify_seconds: float | None = None,
        drain_seconds: float = DRAIN_SECONDS,
    ) -> None:
        state = State(directory_of(registration, state_dir)) if state_dir else None
        self.registration = with_secret(registration, state)
        self.drain_seconds = drain_seconds
        self._connection = connection
        self._chooser = Chooser(zone=registration.zone)
        self._cache = Cache(state=state, on_update=lambda snapshot: self._chooser.update(snapshot.offered))
        self._crew = Crew(state.directory) if state else None
        self._life = Life(
            connection,
            self.registration,
            self._cache,
            verify_seconds=verify_seconds or VERIFY_SECONDS,
            crew=self._crew,
        )
        self._follower = Follower(
            connection,
            self.registration,
            self._cache,
            wait_seconds=verify_seconds or VERIFY_SECONDS,
            is_wanted=lambda: self._life.is_untold,
            on_answer=self._followed,
        )
        self._listeners = Listeners()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._leaving = threading.Event()
        self._wake = threading.Event()
        self._is_handed_over = False
        self._fresh_until = 0.0

    @property
    def is_registered(self) -> bool:
        """Whether this process registered the instance and the registry has not forgotten it since."""
        return self._life.is_registered

    @property
    def run(self) -> str:
        """The run of the server that this process is a worker of; "" without a `state_dir` and until it has joined."""
        return self._crew.run if self._crew else ""

    @property
    def trouble(self) -> RollcallError | None:
        """Why the registry could not be asked, as long as it cannot."""
        return self._life.trouble

    @property
    def revision(self) -> int | None:
        """The revision of the known providers; None while none are known."""
        revision = self._cache.snapshot.revision
        return None if revision == NOTHING_KNOWN else revision

    def start(self) -> None:
        """Start the membership's thread; returns at once, whether or not the registry can be reached."""
        if self._thread is None:
            self._connection.prepare()
            self._is_handed_over = False
            self._stopping, self._leaving, self._wake = (threading.Event() for _ in range(3))
            arguments = (self._stopping, self._leaving, self._wake)
            self._thread = thread = threading.Thread(target=self._live, args=arguments, name="rollcall", daemon=True)
            # Before the thread: the instance is deregistered however soon the process ends.
            departure.of_process.watch(self)
            thread.start()

    def stop(self, timeout: float = departure.STOP_SECONDS) -> None:
        """Deregister and return, after at most `timeout` seconds."""
        thread, self._thread = self._thread, None
        departure.of_process.forget(self)
        self._stopping.set()
        self._wake.set()
        _join(thread, timeout)

    def drain_and_stop(self) -> None:
        """See Membership.drain."""
        thread = self._thread
        self.begin_draining()
        _join(thread, self.drain_seconds + departure.STOP_SECONDS)
        self.stop()

    def begin_draining(self) -> None:
        """Begin what `drain_and_stop` does, without waiting."""
        self._leaving.set()
        self._wake.set()

    def hand_over(self) -> None:
        """Stop without deregistering, as another process is about to take this one's place."""
        self._is_handed_over = True
        self.stop()

    def providers(self, service: str) -> Sequence[Provider]:
        """The instances of a required service that are offered, as last known. Raises NotRequiredError."""
        if service not in self.registration.requires:
            raise NotRequiredError(service, dependent=self.registration.service)
        if self._thread is None:
            self._refresh()
        return self._cache.snapshot.offered.get(service, ())

    def choose(self, service: str) -> Provider | None:
        """One of the providers, each in its turn; None when none is offered. Cheap. Raises NotRequiredError."""
        if self._thread is None:
            self._refresh()
        if (chosen := self._chooser.choose(service)) is None:
            self.providers(service)
        return chosen

    def report_failure(self, provider: Provider) -> None:
        """Let `choose` set it aside for a while, as long as others remain."""
        self._chooser.report_failure(provider)

    def report_success(self, provider: Provider) -> None:
        self._chooser.report_success(provider)

    def on_change(self, service: str, listener: Listener) -> None:
        """Call `listener` with the providers of a required service whenever they differ from what it heard last.

        The first call passes what is known already. Calls come one after the other, from the membership's thread.
        """
        self.providers(service)
        self._listeners.add(service, listener)
        self._wake.set()

    def receive(self, headers: receiver.Headers, body: bytes, *, now: datetime | None = None) -> receiver.Answer:
        """Take a webhook as it came to `notify_url`, and return the response. Never raises, never waits."""
        secret = self.registration.notify_secret
        return receiver.receive(headers, body, secret=secret, now=now or datetime.now(UTC), learn=self._learn)

    def become_passive(self) -> None:
        """Only read, in a forked child, as the parent goes on registering; `start` makes the child a worker."""
        self._thread = None
        self._life.begin_anew()
        self._follower.abandon()
        self._connection.forget_connections()
        self._cache.renew_lock()
        self._chooser.renew_lock()
        if self._crew:
            self._crew.abandon()

    def _live(self, stopping: threading.Event, leaving: threading.Event, wake: threading.Event) -> None:
        while not (stopping.is_set() or leaving.is_set()):
            try:
                seconds = self._life.step(time.monotonic())
                self._listeners.tell(self._cache.snapshot)
            except Exception:
                # Only this thread keeps the instance registered: no error may end it.
                logger.exception("A fault in keeping %s registered", self.registration.service)
                seconds = AFTER_FAULT_SECONDS
            if self._life.is_registered and self._life.is_untold:
                self._follower.start(stopping)
            wake.wait(seconds)
            wake.clear()
        if not stopping.is_set() and self.drain_seconds and self._life.drain(self.drain_seconds):
            stopping.wait(self.drain_seconds)
        self._life.end(deregisters=not self._is_handed_over)
        self._follower.join(FOLLOWER_ENDS_SECONDS)
        self._connection.close()

    def _learn(self, change: Change) -> None:
        is_applied = self._life.learn(change)
        if self._thread is not None:
            if not is_applied:
                self._life.want_asking()
            self._wake.set()
        elif not is_applied:
            threading.Thread(target=self._life.ask, name="rollcall-ask", daemon=True).start()

    def _followed(self, is_learnt: bool) -> None:
        if not is_learnt:
            self._life.want_asking()
        self._wake.set()

    def _left(self, until: float, service: str, timeout: float) -> float:
        left = until - time.monotonic()
        if left <= 0:
            trouble = f" {self.trouble}" if self.trouble else ""
            raise NoProviderError(f"No instance of {service} was offered within {timeout} s.{trouble}")
        return min(left, PASSIVE_SECONDS)

    def _refresh(self) -> None:
        now = time.monotonic()
        if now >= self._fresh_until:
            self._fresh_until = now + PASSIVE_SECONDS
            self._cache.refresh()


class Membership(Member):
    """A member of the registry, made by `Registry.registered`: a context manager, or `start` and `stop`.

    Only `wait_for` waits for the registry: a thread registers, beats and asks, for as long as it takes, and the
    providers are the last known good ones. With a `state_dir` they are kept on disk as well, and
    processes that share it are workers of one server: one registers, all of them know the providers.
    """

    def client(self, **options: Any) -> httpx2.Client:
        """A client that calls services by name: `client.get("rollcall://grading/api/courses")`; see calling.py.

        The options are `httpx2.Client`'s. Keep it: it keeps its connections.
        """
        return calling.client(self, **options)

    def drain(self) -> None:
        """Stop being offered, serve on for `drain_seconds` and deregister, as at SIGTERM; returns when done."""
        self.drain_and_stop()

    def wait_for(self, service: str, *, timeout: float) -> Sequence[Provider]:
        """Wait until an instance is offered. Raises NoProviderError after `timeout` seconds."""
        until = time.monotonic() + timeout
        while not (found := self.providers(service)):
            self._cache.wait(self._left(until, service, timeout))
        return found

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class AsyncMembership(Member):
    """The same as Membership, made by `AsyncRegistry.registered`; its thread leaves the event loop alone."""

    def client(self, **options: Any) -> httpx2.AsyncClient:
        """The same as Membership's."""
        return calling.async_client(self, **options)

    async def drain(self) -> None:
        """The same as Membership's."""
        await asyncio.to_thread(self.drain_and_stop)

    async def wait_for(self, service: str, *, timeout: float) -> Sequence[Provider]:  # noqa: ASYNC109 -- as Membership's
        """Wait until an instance is offered. Raises NoProviderError after `timeout` seconds."""
        until = time.monotonic() + timeout
        while not (found := self.providers(service)):
            await asyncio.to_thread(self._cache.wait, self._left(until, service, timeout))
        return found

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)


def _join(thread: threading.Thread | None, timeout: float) -> None:
    # A signal may come before the thread has begun, and then there is nothing to wait for.
    if thread is not None and thread.ident is not None and thread is not threading.current_thread():
        thread.join(timeout)
