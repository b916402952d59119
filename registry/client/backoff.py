"""Backoff: the wait before the next attempt."""

import random

from .errors import RollcallError

FIRST_RETRY_SECONDS = 0.2
LONGEST_RETRY_SECONDS = 2.0
# A refusal, such as an unknown token, is rarely fixed within seconds; still, somebody may fix it.
LONGEST_RETRY_OF_REFUSAL_SECONDS = 15.0


def wait_after(error: RollcallError, failures: int) -> float:
    """The wait after an error; it grows with each failure in a row."""
    longest = LONGEST_RETRY_SECONDS if error.retryable else LONGEST_RETRY_OF_REFUSAL_SECONDS
    return spread(min(FIRST_RETRY_SECONDS * 2 ** min(failures - 1, 16), longest))


def spread(seconds: float) -> float:
    """Add jitter of up to a fifth, so that clients which started together drift apart."""
    return seconds * random.uniform(0.8, 1.2)
