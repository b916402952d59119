"""The registry answers any input; it explains what it refuses, and keeps nothing of it."""

from collections.abc import Iterator
from datetime import datetime

import pytest

from config.tokens import issuing
from registry.models import Instance, JournalEntry, Maintenance
from tests import factories, hostile
from tests.hostile import Request

pytestmark = pytest.mark.django_db

MODELS = (Instance, JournalEntry, Maintenance)
HOLDER = {"Authorization": "Bearer rct_anybody"}
HEARTBEAT = (
    b'{"kind": "http", "url": "http://127.0.0.1:9000/h", "interval_seconds": 5, "timeout_seconds": 1, '
    b'"warn_after_seconds": 1, "failures_before_critical": 1, "successes_before_passing": 1, '
    b'"deregister_after_seconds": 60}'
)
DECLARATION = (
    b'{"url": "http://127.0.0.1:9000", "requires": ["logsvc"], "notify_url": "http://127.0.0.1:9000/notify", '
    b'"notify_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "tags": ["a"], "zone": "z", "version": "1", '
    b'"weight": 1, "metadata": {"a": "b"}, "heartbeat": {"kind": "ttl"}}'
)
MAINTENANCE = b'{"until": "2026-12-01T00:00:00Z", "reason": "disk"}'
DRAIN = b'{"seconds": 5, "reason": "disk"}'
INSTANCE = "/v1/services/billing/instances/billing-1"
ADDRESSES: list[tuple[str, tuple[str, ...], str, bytes]] = [
    ("/v1/services", ("after", "limit", "wait"), "GET", b""),
    ("/v1/services/billing", (), "GET", b""),
    ("/v1/services/billing/instances", ("status", "tag", "zone", "version", "after", "limit"), "GET", b""),
    (INSTANCE, (), "PUT", DECLARATION),
    (INSTANCE, (), "DELETE", b""),
    (f"{INSTANCE}/heartbeat", (), "PUT", b""),
    (f"{INSTANCE}/maintenance", (), "PUT", MAINTENANCE),
    ("/v1/services/billing/maintenance", (), "PUT", MAINTENANCE),
    (f"{INSTANCE}/maintenance", (), "DELETE", b""),
    (f"{INSTANCE}/drain", (), "POST", DRAIN),
    (f"{INSTANCE}/deliveries", ("limit",), "GET", b""),
    (f"{INSTANCE}/history", ("days",), "GET", b""),
    (f"{INSTANCE}/replay", (), "POST", b'{"since": 0}'),
    (f"{INSTANCE}/resync", (), "POST", b""),
    ("/v1/registrations:batch", (), "POST", b"{}"),
    ("/v1/instances/billing/billing-1/providers", (), "GET", b""),
    ("/v1/graph", (), "GET", b""),
    ("/v1/protection", (), "GET", b""),
    ("/v1/prometheus/targets", ("service", "status"), "GET", b""),
    ("/v1/journal", ("after", "limit", "service"), "GET", b""),
    ("/nowhere", (), "GET", b""),
]


@pytest.fixture(autouse=True)
def _kept_before(db: None, now: datetime) -> None:
    issuing.create(name="anybody", scopes=["read", "operate", "register:*"], token="rct_anybody")
    factories.passing("logsvc", now=now)
    factories.register("billing", requires=["logsvc"], now=now)


@pytest.mark.parametrize(
    ("path", "parameters", "method", "sound"), ADDRESSES, ids=[f"{each[2]} {each[0]}" for each in ADDRESSES]
)
def test_no_request_fails(path: str, parameters: tuple[str, ...], method: str, sound: bytes) -> None:
    requests = hostile.own_requests(path, parameters=parameters, method=method, sound=sound)

    assert hostile.failures(requests, HOLDER, MODELS) == []


def test_no_header_fails() -> None:
    assert hostile.failures(hostile.requests(INSTANCE, method="PUT", sound=DECLARATION), HOLDER, MODELS) == []


def _bodies() -> Iterator[Request]:
    for declaration in hostile.altered(DECLARATION):
        yield Request(path=INSTANCE, method="PUT", body=declaration)
    for heartbeat in hostile.altered(HEARTBEAT):
        yield Request(path=INSTANCE, method="PUT", body=DECLARATION.replace(b'{"kind": "ttl"}', heartbeat))
    for maintenance in hostile.altered(MAINTENANCE):
        yield Request(path=f"{INSTANCE}/maintenance", method="PUT", body=maintenance)
    for drain in hostile.altered(DRAIN):
        yield Request(path=f"{INSTANCE}/drain", method="POST", body=drain)
    for since in hostile.altered(b'{"since": 0}'):
        yield Request(path=f"{INSTANCE}/replay", method="POST", body=since)


def test_no_body_fails() -> None:
    assert hostile.failures(_bodies(), HOLDER, MODELS) == []
