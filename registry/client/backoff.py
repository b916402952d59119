"""How long to wait before trying again."""

import random

from .errors import RollcallError

FIRST_RETRY_SECONDS = 0.2
LONGEST_RETRY_SECONDS = 2.0
# A refusal, such as an unknown token, is rarely mended within seconds; still, somebody may mend it.
LONGEST_RETRY_OF_REFUSAL_SECONDS = 15.0


def wait_after(error: RollcallError, failures: int) -> float:
    """Longer with each failure in a row, of which this error is one."""
    longest = LONGEST_RETRY_SECONDS if error.retryable else LONGEST_RETRY_OF_REFUSAL_SECONDS
    return spread(min(FIRST_RETRY_SECONDS * 2 ** min(failures - 1, 16), longest))


def spread(seconds: float) -> float:
    """Within a fifth of it, so that what started together does not go on together."""
    return seconds * random.uniform(0.8, 1.2)
