"""Time of the admin's pages with 30,000 instances, a million journal entries and a million deliveries.

Each page is asked for in turn through Django's client, in one process; the goal is 200 ms. `--postgresql` runs it
there, `--small` with a hundredth of the rows.
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from bench import stack

INSTANCES, SERVICES, RECORDS = 30_000, 300, 1_000_000
ROUNDS = 5
GOAL_MS = 200
PAGES = {
    "overview": "/admin/",
    "services": "/admin/registry/instance/services/",
    "services, unmet": "/admin/registry/instance/services/?state=unmet",
    "one service": "/admin/registry/instance/services/s-7/",
    "instances": "/admin/registry/instance/",
    "instances, critical": "/admin/registry/instance/?state=critical",
    "instances, unmet": "/admin/registry/instance/?state=unmet",
    "instances, one tag": "/admin/registry/instance/?tag=t-7",
    "instances, searched": "/admin/registry/instance/?q=s-77",
    "instances, last page": "/admin/registry/instance/?p=100",
    "one instance": "/admin/registry/instance/1/change/",
    "journal": "/admin/registry/journalentry/",
    "journal, last page": "/admin/registry/journalentry/?p=100",
    "journal, one service": "/admin/registry/journalentry/?service=s-7",
    "journal, rare change": "/admin/registry/journalentry/?change=suspect",
    "journal, one author": "/admin/registry/journalentry/?author=nobody",
    "deliveries": "/admin/registry/delivery/",
    "deliveries, failed": "/admin/registry/delivery/?outcome=failed",
    "deliveries, one code": "/admin/registry/delivery/?code=418",
    "deliveries, one day": "/admin/registry/delivery/?day=2026-11-28",
    "maintenance": "/admin/registry/maintenance/",
}


def main() -> None:
    share = 0.01 if "--small" in sys.argv else 1
    with (
        tempfile.TemporaryDirectory(prefix="rollcall-bench-") as directory,
        stack.database(is_postgresql="--postgresql" in sys.argv) as variables,
    ):
        made = {"DJANGO_SETTINGS_MODULE": "config.settings.registry", "ROLLCALL_DATA_DIR": directory}
        os.environ |= variables | made
        _measure(instances=int(INSTANCES * share), records=int(RECORDS * share))


def _measure(*, instances: int, records: int) -> None:
    import django

    django.setup()
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.test import Client

    settings.ALLOWED_HOSTS = ["testserver"]
    call_command("migrate", verbosity=0)
    began = time.perf_counter()
    _fill(instances=instances, records=records)
    filled = time.perf_counter() - began
    print(f"{instances:,} instances, {records:,} records, filled in {filled:.0f} s", flush=True)
    client = Client()
    client.force_login(User.objects.create_superuser("bench"))
    client.get("/admin/")
    print(f"{'page':<24} {'median':>8} {'longest':>8} {'processor':>10}")
    for name, address in PAGES.items():
        taken, used = [], []
        for _ in range(ROUNDS):
            begun, used_before = time.perf_counter(), time.process_time()
            answer = client.get(address)
            taken.append((time.perf_counter() - begun) * 1000)
            used.append((time.process_time() - used_before) * 1000)
            assert answer.status_code == 200, address
        late = " over the goal" if statistics.median(taken) > GOAL_MS else ""
        figures = f"{statistics.median(taken):>5.0f} ms {max(taken):>5.0f} ms {statistics.median(used):>7.0f} ms"
        print(f"{name:<24} {figures}{late}", flush=True)


def _fill(*, instances: int, records: int) -> None:
    from django.db import connection
    from django.utils import timezone

    from registry.models import Cursor, Head, Heartbeat, Instance, Requirement

    now = timezone.now()
    services = max(2, SERVICES * instances // INSTANCES)
    made = [
        Instance(
            pk=number + 1,
            service=f"s-{number % services}",
            name=f"s-{number % services}-{number // services}",
            url=f"http://10.0.{number // 250 % 250}.{number % 250}:9000",
            requires=[f"s-{(number + 1) % services}", "gone"] if number % 10 == 0 else [],
            notify_url=f"http://10.0.0.1:9000/{number}" if number % 10 == 0 else None,
            tags=[f"t-{number % 50}", "common"],
            zone=f"zone-{number % 3}",
            version="2.4.1",
            heartbeat_url="http://10.0.0.1:9000",
            status="critical" if number % 100 == 0 else "passing",
            status_since=now,
            status_reason="GET http://10.0.0.1:9000/healthz answered 200",
            registered_at=now,
            registered_by="bench",
            revision=number + 1,
        )
        for number in range(instances)
    ]
    Instance.objects.bulk_create(made, batch_size=2000)
    Heartbeat.objects.bulk_create(
        [Heartbeat(instance=each, due_at=now.timestamp() + 5, last_at=now.timestamp()) for each in made],
        batch_size=5000,
    )
    dependents = [each for each in made if each.requires]
    Requirement.objects.bulk_create(
        [Requirement(instance=each, service=service) for each in dependents for service in each.requires],
        batch_size=5000,
    )
    Cursor.objects.bulk_create(
        [Cursor(instance=each, notified_revision=records - 3, scanned_revision=records - 3) for each in dependents],
        batch_size=5000,
    )
    # Both engines take a recursive query; the ORM would take a quarter of an hour.
    numbers = f"WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < {records - 1})"
    at = (
        f"'{now:%Y-%m-%d %H:%M:%S}'::timestamptz - ({records} - n) * interval '0.6 seconds'"
        if connection.vendor == "postgresql"
        else f"strftime('%Y-%m-%d %H:%M:%f', '{now:%Y-%m-%d %H:%M:%S}', '-' || (({records} - n) * 0.6) || ' seconds')"
    )
    change = "CASE n % 3 WHEN 0 THEN 'passing' WHEN 1 THEN 'critical' ELSE 'registered' END"
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO registry_journalentry "
            "(revision, at, change, service, instance, author, reason, before, after, provider) "
            f"{numbers} SELECT n + 1, {at}, {change}, 's-' || (n % {services}), 's-' || (n % {services}) || '-1', "
            "'heartbeat', 'GET http://10.0.0.1:9000/healthz answered 200', '', 'abcdef0123456789', "
            "%s FROM numbers",
            ['{"service": "s", "instance": "s-1", "url": "http://10.0.0.1:9000", "tags": ["common"], "metadata": {}}'],
        )
        cursor.execute(
            "INSERT INTO registry_delivery (at, service, instance, webhook_id, from_revision, to_revision, "
            "status_code, duration_ms, error, answer) "
            f"{numbers} SELECT {at}, 's-' || (n % {services}), 's-' || (n % {services}) || '-0', 'msg_' || n, n, "
            "n + 1, 204, 4.0, '', '' FROM numbers"
        )
        cursor.execute("ANALYZE")
    head, _ = Head.objects.get_or_create(pk=1, defaults={"history": "bench"})
    head.revision = records
    head.save()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    main()
