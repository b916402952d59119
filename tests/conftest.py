"""What holds for every test."""

import signal

from hypothesis import HealthCheck, settings

# A machine with other work makes a property slow, and not wrong. All else is as Hypothesis has it, also in CI.
settings.register_profile(
    "suite",
    parent=settings.get_profile(settings.get_current_profile_name()),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("suite")

# The job that a script puts into the background ignores Ctrl-C, and so would the processes that tests end by it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
