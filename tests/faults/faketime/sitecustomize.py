"""Loaded by every Python on libfaketime, whose clock_nanosleep does not wait where a time to wake up is given."""

import select
import time


def sleep(seconds: float, /) -> None:
    select.select([], [], [], seconds)


time.sleep = sleep  # type: ignore[assignment]  # its own type is wider
