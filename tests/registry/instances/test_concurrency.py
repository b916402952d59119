"""Many writers at once, as several processes on PostgreSQL are: in the end all that is kept agrees."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

import pytest
from django.db import connection

from registry.errors import UnknownInstance
from registry.health import leases, results
from registry.instances import declaration, overrides, registration
from registry.instances.storage import Entry
from registry.journal import log
from registry.models import Cursor, Heartbeat, Instance, InstanceKey, JournalEntry, Requirement, Tombstone
from registry.webhooks import cursors, replay
from registry.webhooks.cursors import Attempt
from registry.wire import bodies
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

TURNS = 12
Actor = Callable[[random.Random], object]


def now() -> datetime:
    return datetime.now(UTC)


def anyone(chance: random.Random) -> InstanceKey:
    return declaration.instance_key(chance.choice(["billing", "grading"]), f"i-{chance.randrange(30)}")


def some_entry(key: InstanceKey, chance: random.Random) -> Entry:
    members = {
        "url": "http://127.0.0.1:9000",
        "requires": chance.choice([["billing"], ["billing", "grading"], []]),
        "incarnation": f"run-{chance.randrange(10**6)}",
        "heartbeat": {"failures_before_critical": 1},
    }
    if chance.random() < 0.7:
        members |= {"notify_url": "http://127.0.0.1:1/", "notify_secret": factories.SECRET}
    return Entry(key=key, declared=declaration.declaration(members), author="tester")


def register(chance: random.Random) -> None:
    targets = list({anyone(chance): None for _ in range(10)})
    registration.register_many([some_entry(key, chance) for key in targets], now=now())


def deregister(chance: random.Random) -> None:
    registration.deregister(anyone(chance), author="tester", now=now())


def probe(chance: random.Random) -> None:
    found = leases.claim(now=now().timestamp() + 30, limit=30)
    results.record([factories.probe(due, succeeded=chance.random() < 0.5) for due in found], now=now())


def beat(chance: random.Random) -> None:
    with suppress(UnknownInstance):
        results.beat(anyone(chance), succeeded=chance.random() < 0.5, reason="", author="tester", now=now())


def maintain(chance: random.Random) -> None:
    key, is_whole = anyone(chance), chance.random() < 0.5
    instance = "" if is_whole else key.instance
    if chance.random() < 0.5:
        overrides.begin_maintenance(key.service, instance, until=None, reason="", author="tester", now=now())
    else:
        overrides.end_maintenance(key.service, instance, author="tester", now=now())


def tell(chance: random.Random) -> None:
    messages = cursors.claim(now=now(), limit=100)
    chance.shuffle(messages)
    errors = [chance.choice(["", "refused"]) for _ in messages]
    pairs = zip(messages, errors, strict=True)
    attempts = [Attempt(message=each, status_code=None, duration_ms=1.0, error=error) for each, error in pairs]
    cursors.record(attempts, now=now())


def resync(chance: random.Random) -> None:
    replay.resync()


def act(actor: Actor, seed: int) -> None:
    chance = random.Random(seed)
    try:
        for _ in range(TURNS):
            actor(chance)
    finally:
        connection.close()


def test_whatever_meets_whatever_all_that_is_kept_agrees() -> None:
    actors = [register, register, deregister, probe, probe, beat, maintain, tell, tell, resync]

    with ThreadPoolExecutor(len(actors)) as threads:
        acting = [threads.submit(partial(act, actor, seed)) for seed, actor in enumerate(actors)]
        for each in acting:
            each.result(timeout=300)

    revisions = JournalEntry.objects.order_by("revision").values_list("revision", flat=True)
    assert list(revisions) == list(range(1, log.head() + 1))
    holding = set(overrides.held(now=now()))
    for instance in Instance.objects.all():
        assert_agrees(instance, holding)


def assert_agrees(instance: Instance, holding: set[tuple[str, str]]) -> None:
    named = {(instance.service, ""), (instance.service, instance.name)}
    last = JournalEntry.objects.filter(service=instance.service, instance=instance.name).latest("revision")
    assert (last.revision, last.after) == (instance.revision, bodies.offer_digest(instance))
    assert instance.is_in_maintenance == bool(holding & named)
    assert sorted(Requirement.objects.filter(instance=instance).values_list("service", flat=True)) == instance.requires
    assert Cursor.objects.filter(instance=instance).exists() == (instance.notify_url is not None)
    assert Heartbeat.objects.filter(instance=instance).exists()
    assert not Tombstone.objects.filter(instance=instance.name, incarnation=instance.incarnation).exists()
