"""Bounds the trust in stored times: a clock may have been ahead when one was stored, and set back since."""

from datetime import timedelta

# The clocks of two hosts may differ by this much. A stored time that lies further in the future is not believed.
SKEW_SECONDS = 5.0
SKEW = timedelta(seconds=SKEW_SECONDS)
