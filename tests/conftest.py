"""What holds for every test."""

from hypothesis import HealthCheck, settings

# A machine with other work makes a property slow, and not wrong. All else is as Hypothesis has it, also in CI.
settings.register_profile(
    "suite",
    parent=settings.get_profile(settings.get_current_profile_name()),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("suite")
