"""Plain functions that make what tests need."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import connection

from registry.database import rows, statements
from registry.health import leases, results
from registry.health.probe import Due, Finding, Result
from registry.instances import declaration, registration
from registry.instances.registration import Registered
from registry.instances.storage import Entry
from registry.models import Instance

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def register(service: str, instance: str | None = None, *, now: datetime, **members: Any) -> Registered:
    """Register an instance of `service`, told by webhook when it requires anything."""
    return registration.register_entry(entry(service, instance, **members), now=now)


def entry(service: str, instance: str | None = None, *, author: str = "tester", **members: Any) -> Entry:
    name = instance or f"{service}-1"
    body = {"url": "http://127.0.0.1:9000", **members}
    if body.get("requires") and "notify_url" not in body:
        body |= {"notify_url": "http://127.0.0.1:9000/notify", "notify_secret": SECRET}
    return Entry(key=declaration.instance_key(service, name), declared=declaration.declaration(body), author=author)


def probe(due: Due, *, succeeded: bool, detail: str = "probed") -> Result:
    finding = Finding.SUCCESS if succeeded else Finding.FAILURE
    return Result(due=due, finding=finding, detail=detail, latency_ms=1.0)


def judge(instance: Instance, *, succeeded: bool, now: datetime, times: int = 1) -> None:
    """Probe an instance now, whether or not it is due, and record the same result `times` in a row."""
    for _ in range(times):
        statements.fetch(
            "UPDATE registry_heartbeat SET due_at = %s, lease_until = 0 WHERE instance_id = %s",
            [now.timestamp(), instance.pk],
        )
        (due,) = leases.claim_now([instance.pk], now=now.timestamp())
        results.record([probe(due, succeeded=succeeded)], now=now)
    instance.__dict__ = rows.by_ids([instance.pk])[instance.pk].__dict__


def passing(service: str, instance: str | None = None, *, now: datetime, **members: Any) -> Instance:
    """A registered instance that its first probe has found passing."""
    made = register(service, instance, now=now, **members).instance
    judge(made, succeeded=True, now=now)
    return made


def pass_together(entries: Sequence[Entry], *, now: datetime) -> None:
    """Register many at once, and find them passing, in a tenth of the statements of one after the other."""
    made = [outcome for outcome in registration.register_many(entries, now=now) if isinstance(outcome, Registered)]
    due = leases.claim_now([each.instance.pk for each in made], now=now.timestamp())
    results.record([probe(each, succeeded=True) for each in due], now=now)
    assert len(due) == len(entries)


def empty_tables() -> None:
    """Empty the tables for a test that begins anew within one transaction, as a state machine does."""
    tables = [name for name in connection.introspection.table_names() if name.startswith("registry_")]
    children = ("registry_requirement", "registry_heartbeat", "registry_cursor")
    with connection.cursor() as cursor:
        for table in sorted(tables, key=lambda name: name not in children):
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")  # noqa: S608 -- our own tables' names


@contextmanager
def few_parameters(most: int = 1500) -> Iterator[None]:
    """SQLite as it would be with that many parameters in a statement, whose usual number takes long to exceed."""
    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()
    limits, kind = connection.connection, sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER
    before = limits.setlimit(kind, most)
    try:
        yield
    finally:
        limits.setlimit(kind, before)
