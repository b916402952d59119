"""Deregistering as the process ends: at exit, on SIGTERM, at the end of a multiprocessing child; and after a fork."""

import atexit
import multiprocessing
import multiprocessing.util
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Protocol

STOP_SECONDS = 3.0
# Our share of the time that a server takes to stop, where it handles SIGTERM itself.
STOP_SECONDS_BEFORE_OTHERS = 1.0
UNHANDLED_SECONDS = 0.5


class Member(Protocol):
    drain_seconds: float

    def begin_draining(self) -> None: ...

    def drain_and_stop(self) -> None: ...

    def stop(self, timeout: float = ...) -> None: ...

    def become_passive(self) -> None: ...


class Departure:
    """The members to deregister as the process ends: one instance a process, which has one end and one SIGTERM."""

    def __init__(self) -> None:
        self.members: list[Member] = []
        self._is_exit_hooked = False
        self._draining: threading.Thread | None = None
        self._previous: Callable[[int, FrameType | None], Any] | int | None = None

    def watch(self, member: Member) -> None:
        """Stop `member` when the process ends, unless it is forgotten before."""
        if member not in self.members:
            self.members.append(member)
        if not self._is_exit_hooked:
            self._is_exit_hooked = True
            atexit.register(self._leave)
            if multiprocessing.parent_process() is not None:
                # A multiprocessing child that was forked ends without atexit.
                multiprocessing.util.Finalize(None, self._leave, exitpriority=100)
        if threading.current_thread() is threading.main_thread():
            # Once: a handler installed since may call ours in turn. And not for None, which getsignal returns for a
            # handler that is not Python's, and that ours could not call.
            current = signal.getsignal(signal.SIGTERM)
            if current == signal.SIG_DFL or (self._previous is None and current not in (signal.SIG_IGN, None)):
                self._previous = current
                signal.signal(signal.SIGTERM, self._on_sigterm)

    def forget(self, member: Member) -> None:
        if member in self.members:
            self.members.remove(member)

    def begin_anew(self) -> None:
        """Forget the members in a forked child: its end is not that of its parent's members."""
        for member in self.members:
            member.become_passive()
        self.members.clear()
        self._is_exit_hooked, self._draining = False, None

    def _leave(self, timeout: float = STOP_SECONDS) -> None:
        for member in self.members.copy():
            member.stop(timeout)

    def _on_sigterm(self, number: int, frame: FrameType | None) -> None:
        """Tell the registry first, then call the handler that was there before.

        The process serves on meanwhile, unless a handler installed after ours calls us: it would be called twice. A
        second SIGTERM ends at once.
        """
        is_first = self._draining is None and signal.getsignal(number) == self._on_sigterm
        if is_first and any(member.drain_seconds for member in self.members):
            self._draining = threading.Thread(target=self._drain, args=(number,), name="rollcall-drain", daemon=True)
            self._draining.start()
            return
        self._draining = None
        if callable(self._previous):
            self._leave(STOP_SECONDS_BEFORE_OTHERS)
            self._previous(number, frame)
        else:
            self._leave()
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    def _drain(self, number: int) -> None:
        """Drain in a thread, as the main one may be serving; then send the main thread the signal again."""
        me, members = threading.current_thread(), self.members.copy()
        for member in members:
            member.begin_draining()
        for member in members:
            member.drain_and_stop()
        main, pause = threading.main_thread().ident, threading.Event()
        # Repeated until it is handled: a signal that comes just before the main thread begins to wait is handled only
        # after the wait. Not when the program has ended by itself meanwhile and restored the earlier handlers.
        while self._draining is me and main is not None and signal.getsignal(number) == self._on_sigterm:
            signal.pthread_kill(main, number)
            pause.wait(UNHANDLED_SECONDS)


of_process = Departure()
os.register_at_fork(after_in_child=of_process.begin_anew)
