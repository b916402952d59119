"""Waiting for what other threads and processes do: as long as a busy machine may take, and no longer than they do."""

import time
from collections.abc import Callable
from threading import Event
from typing import TypeVar

import httpx2

PATIENCE_SECONDS = 30.0
FIRST_PAUSE_SECONDS = 0.001
LONGEST_PAUSE_SECONDS = 0.1
Value = TypeVar("Value")


def until(
    look: Callable[[], Value],
    *,
    seconds: float = PATIENCE_SECONDS,
    explain: Callable[[], str] = lambda: "it never came",
) -> Value:
    """The first true value that `look` returns; it may fail until then as a service does that is not there."""
    deadline = time.monotonic() + seconds
    pause, pause_seconds = Event(), FIRST_PAUSE_SECONDS
    while True:
        error: Exception | None = None
        try:
            if value := look():
                return value
        except (httpx2.HTTPError, AssertionError) as failure:
            error = failure
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {explain()}") from error
        pause.wait(pause_seconds)
        pause_seconds = min(2 * pause_seconds, LONGEST_PAUSE_SECONDS)
