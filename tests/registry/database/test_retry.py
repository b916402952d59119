import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, OperationalError, connection

from config.problems import Problem
from registry.database import retry
from registry.database.retry import ATTEMPTS, Overtaken
from registry.errors import Contended
from registry.instances import declaration, registration
from registry.instances.storage import Entry
from registry.journal import log
from registry.models import Instance, InstanceKey
from registry.server import server
from tests import factories
from tests.registry.conftest import ClientOf
from tests.registry.instances.overlapping import only_here

pytestmark = pytest.mark.django_db(transaction=True)

BILLING = declaration.instance_key("billing", "billing-1")
ADDRESS = "/v1/services/billing/instances/billing-1"
WHOLE = {"url": "http://127.0.0.1:9000"}


class Cause(Exception):
    """An error of PostgreSQL's driver."""

    def __init__(self, sqlstate: str) -> None:
        self.sqlstate = sqlstate


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The seconds that were to be waited, by nobody."""
    pauses: list[float] = []
    monkeypatch.setattr("registry.database.retry.sleep", pauses.append)
    yield pauses
    server.group_commit.stop()


def ended() -> OperationalError:
    error = OperationalError("deadlock detected")
    error.__cause__ = Cause("40P01")
    return error


def taken() -> IntegrityError:
    error = IntegrityError("another was first")
    error.__cause__ = Cause("23505")
    return error


@pytest.mark.parametrize("collision", [taken(), Overtaken(), ended()])
def test_what_collides_ten_times_in_a_row_is_given_up_and_said(
    collision: Exception, pauses: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    tried = []

    @retry.retried
    def collide() -> None:
        tried.append(1)
        raise collision

    with pytest.raises(Contended) as given_up, caplog.at_level(logging.ERROR):
        collide()

    assert len(tried) == ATTEMPTS
    assert given_up.value.__cause__ is collision
    (record,) = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[1] is collision
    # So that its fault is found: a unique constraint that nobody else has met is none of theirs.
    assert "collide" in record.getMessage()


def test_it_waits_between_two_attempts_ever_longer_but_never_long(pauses: list[float]) -> None:
    outcomes = iter([taken()] * (ATTEMPTS - 1) + [None])

    @retry.retried
    def collide_but_once() -> str:
        if (outcome := next(outcomes)) is not None:
            raise outcome
        return "stored"

    assert collide_but_once() == "stored"
    assert len(pauses) == ATTEMPTS - 1
    assert pauses[0] <= retry.FIRST_PAUSE_SECONDS
    assert 0 < max(pauses) <= retry.LONGEST_PAUSE_SECONDS


def test_what_is_no_collision_is_not_tried_again(pauses: list[float]) -> None:
    @retry.retried
    def fail() -> None:
        raise OperationalError("the connection is closed")

    with pytest.raises(OperationalError):
        fail()
    assert pauses == []


def test_a_constraint_that_only_we_can_break_is_not_tried_again(pauses: list[float], now: datetime) -> None:
    factories.register("billing", now=now)

    @retry.retried
    def break_it() -> None:
        # Neither database takes a row without what it must not be without.
        Instance.objects.update(revision=None)

    with pytest.raises(IntegrityError):
        break_it()
    assert pauses == []


def test_a_key_that_another_took_is_tried_again(pauses: list[float], now: datetime) -> None:
    instance = factories.register("billing", now=now).instance

    @retry.retried
    def insert_twice() -> None:
        instance.pk = None
        instance.save(force_insert=True)

    with pytest.raises(Contended):
        insert_twice()
    assert len(pauses) == ATTEMPTS - 1


@pytest.fixture
def _colliding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every write find that another writer was first."""

    def collide(*_: object, **__: object) -> None:
        raise taken()

    monkeypatch.setattr(log, "locked_head", collide)


@pytest.mark.usefixtures("_colliding")
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("put", ADDRESS, WHOLE),
        ("delete", f"{ADDRESS}?incarnation=run-1", None),
        ("put", f"{ADDRESS}/maintenance", {}),
        ("post", "/v1/registrations:batch", {"instances": [{**WHOLE, "service": "a", "instance": "a-1"}]}),
        (
            "post",
            "/v1/registrations:batch",
            {"instances": [{**WHOLE, "service": "a", "instance": "a-1"}], "mode": "each"},
        ),
    ],
)
def test_a_caller_is_told_to_try_again(client_of: ClientOf, method: str, path: str, body: object) -> None:
    answer = getattr(client_of("register:*", "operate"), method)(path, body, format="json")

    assert answer.status_code == 503
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Retry-After"] == "1"
    assert answer.json()["type"] == "urn:rollcall:problem:contended"
    assert not Instance.objects.exists()


@pytest.mark.usefixtures("_colliding")
@pytest.mark.parametrize("arguments", [("register_service", "billing", WHOLE["url"]), ("maintenance", "billing")])
def test_a_command_says_so_in_a_sentence_and_that_it_may_succeed_later(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as failure:
        call_command(*arguments)

    assert failure.value.returncode == 1
    assert str(failure.value) == Contended().detail


@pytest.mark.postgresql
def test_two_that_meet_each_time_end_in_a_problem_and_leave_nothing_half_done(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another comes whenever this one has looked for it, and is gone when this one looks again."""
    refused = registration.find_refused

    def meet(entries: Sequence[Entry], found: Mapping[InstanceKey, Instance]) -> dict[int, Problem]:
        with ThreadPoolExecutor(1) as others:
            others.submit(_come, now).result(timeout=30)
        return refused(entries, found)

    monkeypatch.setattr(registration, "find_refused", only_here(meet, refused))
    monkeypatch.setattr(
        "registry.database.retry.sleep", lambda _: registration.deregister(BILLING, author="another", now=now)
    )

    with pytest.raises(Contended) as given_up:
        factories.register("billing", now=now)

    assert isinstance(given_up.value.__cause__, IntegrityError)
    assert [each.revision for each in log.page(after=0, limit=100)] == list(range(1, 2 * ATTEMPTS))
    assert Instance.objects.get().url == "http://127.0.0.1:1"


def _come(now: datetime) -> None:
    try:
        factories.register("billing", now=now, url="http://127.0.0.1:1")
    finally:
        connection.close()


def test_an_outage_of_the_database_is_outlasted() -> None:
    outcomes: list[OperationalError | str] = [
        OperationalError("database is locked"),
        OperationalError("gone"),
        "stored",
    ]
    waited: list[float] = []

    def store() -> str:
        outcome = outcomes.pop(0)
        if isinstance(outcome, str):
            return outcome
        raise outcome

    assert retry.outlast(store, seconds=60, pause=waited.append) == "stored"
    assert waited == [retry.AWAY_SECONDS] * 2


def test_an_outage_longer_than_it_is_worth_is_raised() -> None:
    def store() -> str:
        raise OperationalError("database is locked")

    with pytest.raises(OperationalError):
        retry.outlast(store, seconds=0)
