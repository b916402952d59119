"""Makes the database of the served registry, with an account for each role, a token, and instances to be operated on.

It prints the session of each account, as JSON: to fill in the form for signing in is one test's affair, not each one's.
"""

import json
from datetime import timedelta

from tests.browser.prepare import hash_one_password_once, session_of

# As long as names may be.
LONG_SERVICE = "a-service-that-somebody-has-named-after-all-that-it-does-in-a-day"[:63]
LONG_INSTANCE = f"pod-{'x7f9' * 62}-01"
PASSWORD = "only-for-tests"
ROLES = ("viewer", "operator", "administrator")
OPERATIONS = (
    "probe",
    "maintenance",
    "end-maintenance",
    "drain",
    "deregister",
    "replay",
    "resync",
    "trial",
    "rotate-secret",
)


def fill() -> None:
    import django

    django.setup()
    from django.contrib.auth.models import Group, User
    from django.utils import timezone

    from config.management.commands.prepare import migrate
    from config.tokens import issuing
    from registry.instances import overrides
    from registry.models import Delivery, Heartbeat, Instance, JournalEntry
    from tests import factories

    hash_one_password_once()
    migrate()
    now = timezone.now()
    sessions = {}
    for role in ROLES:
        person = User.objects.create_user(role, password=PASSWORD, is_staff=True)
        person.groups.add(Group.objects.get(name=role))
        sessions[role] = session_of(person)
    issuing.create(name="ci", scopes=["read"])
    members = {"requires": ["logsvc"], "tags": ["blue"], "zone": "eu-west-1a", "metadata": {"team": "blue"}}
    for name in OPERATIONS:
        factories.passing("target", name, now=now, **members)
    factories.passing("logsvc", now=now, zone="eu-west-1a", version="2.4.1")
    factories.passing("grading", now=now, requires=["logsvc", "target"])
    down = factories.passing("payments-gateway", "payments-gateway-primary-7f9c", now=now, requires=["ledger"])
    factories.judge(down, succeeded=False, now=now, times=3)
    factories.passing(LONG_SERVICE, LONG_INSTANCE, now=now, requires=["logsvc"], zone="z" * 60, version="v" * 60)
    overrides.begin_maintenance("target", "end-maintenance", until=None, reason="disk", author="tester", now=now)
    # Nobody answers there, and the serving process would make the probes in want of a worker.
    Instance.objects.update(interval_seconds=3600)
    Heartbeat.objects.update(due_at=now.timestamp() + 3600, lease_until=0)
    revision = JournalEntry.objects.latest("revision").revision
    for number in range(3):
        Delivery.objects.create(
            at=now - timedelta(minutes=number),
            service="target",
            instance="replay",
            webhook_id=f"msg_{number}",
            from_revision=1,
            to_revision=revision,
            status_code=500 if number else 204,
            error="answered 500" if number else "",
            duration_ms=3.0,
        )
    print(json.dumps(sessions))


if __name__ == "__main__":
    fill()
