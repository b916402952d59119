"""Deregistering as the process ends: at exit, on SIGTERM, at the end of a multiprocessing child; and after a fork.

A module and not a class, because a process has one end, one SIGTERM and one set of hooks.
"""

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


_members: list[Member] = []
_is_exit_hooked = False
_draining: threading.Thread | None = None
_previous: Callable[[int, FrameType | None], Any] | int | None = None


def watch(member: Member) -> None:
    """Stop `member` when the process ends, unless it is forgotten before."""
    global _is_exit_hooked
    if member not in _members:
        _members.append(member)
    if not _is_exit_hooked:
        _is_exit_hooked = True
        atexit.register(_leave)
        if multiprocessing.parent_process() is not None:
            # A multiprocessing child that was forked ends without atexit.
            multiprocessing.util.Finalize(None, _leave, exitpriority=100)
    _hook_sigterm()


def forget(member: Member) -> None:
    if member in _members:
        _members.remove(member)


def _leave(timeout: float = STOP_SECONDS) -> None:
    for member in _members.copy():
        member.stop(timeout)


def _hook_sigterm() -> None:
    """Take SIGTERM over once: a handler installed since may call ours in turn."""
    global _previous
    if threading.current_thread() is not threading.main_thread():
        return
    current = signal.getsignal(signal.SIGTERM)
    # None as what getsignal returns is a handler that is not Python's, which ours could not call.
    if current == signal.SIG_DFL or (_previous is None and current not in (signal.SIG_IGN, None)):
        _previous = current
        signal.signal(signal.SIGTERM, _on_sigterm)


def _on_sigterm(number: int, frame: FrameType | None) -> None:
    """Tell the registry first, then call the handler that was there before.

    The process serves on meanwhile, unless a handler installed after ours calls us: it would be called twice. A second
    SIGTERM ends at once.
    """
    global _draining
    is_first = _draining is None and signal.getsignal(number) is _on_sigterm
    if is_first and any(member.drain_seconds for member in _members):
        _draining = threading.Thread(target=_drain, args=(number,), name="rollcall-drain", daemon=True)
        _draining.start()
        return
    _draining = None
    if callable(_previous):
        _leave(STOP_SECONDS_BEFORE_OTHERS)
        _previous(number, frame)
    else:
        _leave()
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)


def _drain(number: int) -> None:
    """Drain in a thread, as the main one may be serving; then send the main thread the signal again."""
    me, members = threading.current_thread(), _members.copy()
    for member in members:
        member.begin_draining()
    for member in members:
        member.drain_and_stop()
    main, pause = threading.main_thread().ident, threading.Event()
    # Repeated until it is handled: a signal that comes just before the main thread begins to wait is handled only after
    # the wait. Not when the program has ended by itself meanwhile and restored the earlier handlers.
    while _draining is me and main is not None and signal.getsignal(number) is _on_sigterm:
        signal.pthread_kill(main, number)
        pause.wait(UNHANDLED_SECONDS)


def _after_fork() -> None:
    global _is_exit_hooked, _draining
    for member in _members:
        member.become_passive()
    _members.clear()
    _is_exit_hooked, _draining = False, None


os.register_at_fork(after_in_child=_after_fork)
