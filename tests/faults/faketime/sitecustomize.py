"""For each Python that runs on libfaketime, whose clock_nanosleep fails where the time to wake up is over already."""

import errno
import time

_sleep = time.sleep


def sleep(seconds: float, /) -> None:
    try:
        _sleep(seconds)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise


time.sleep = sleep  # type: ignore[assignment]  # its own type is wider
