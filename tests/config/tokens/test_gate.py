import time
from datetime import UTC, datetime
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError
from prometheus_client import CollectorRegistry, generate_latest
from pytest_django import Settings
from rest_framework.test import APIRequestFactory

from config import problems
from config.problems import Forbidden, NotFound, Problem, TooManyRequests
from config.tokens import audit, issuing
from config.tokens import gate as gates
from config.tokens.gate import Gate
from config.tokens.limits import Limits
from config.tokens.models import AuditEntry, Token
from config.tokens.refusals import exception_handler
from tests.clock import Clock

pytestmark = pytest.mark.django_db


def refuse(gate: Gate, problem: Problem, *, authorization: str = "", address: str = "192.0.2.1") -> None:
    gate.note_refusal(problem, method="GET", path="/v1/x", authorization=authorization, address=address)


def entries() -> list[tuple[str, str, str, int]]:
    return list(AuditEntry.objects.filter(kind="refused").order_by("id").values_list("who", "what", "address", "times"))


def test_equal_refusals_are_one_entry_with_a_count() -> None:
    gate, refusal = Gate(), Forbidden("no")
    refusal.who = "ci"
    for _ in range(3):
        refuse(gate, refusal)
    refuse(gate, refusal, address="192.0.2.2")
    gate.flush(now=0)
    gate.flush(now=1)
    assert entries() == [
        ("ci", "forbidden: GET /v1/x", "192.0.2.1", 3),
        ("ci", "forbidden: GET /v1/x", "192.0.2.2", 1),
    ]


def test_an_answer_that_refuses_nobody_is_not_noted() -> None:
    gate = Gate()
    refuse(gate, NotFound("nothing there"))
    gate.flush(now=0)
    assert entries() == []


@pytest.mark.parametrize(
    ("authorization", "who"),
    [
        ("", "no token"),
        ("Bearer rct_0123456789", "rct_0123…"),
        ("Bearer hunter2hunter2", "not a token of Rollcall's"),
        ("Basic dXNlcjpodW50ZXIy", "not a token of Rollcall's"),
    ],
)
def test_nothing_that_may_be_a_password_is_kept(authorization: str, who: str) -> None:
    gate = Gate()
    refuse(gate, problems.Unauthenticated("unknown"), authorization=authorization)
    gate.flush(now=0)
    assert [entry[0] for entry in entries()] == [who]


def test_a_flood_of_refusals_costs_a_bounded_number_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "MOST_REFUSALS", 3)
    gate = Gate()
    for number in range(10):
        refuse(gate, Forbidden("no"), address=f"192.0.2.{number}")
    gate.flush(now=0)
    assert len(entries()) == 4
    assert sum(entry[3] for entry in entries()) == 10


def test_the_last_use_is_written_at_the_flush_and_not_before(django_assert_num_queries: Any) -> None:
    gate, token = Gate(), issuing.create(name="ci", scopes=["read"])
    holder = issuing.holder(token)
    with django_assert_num_queries(0):
        gate.admit(holder)
    before = time.time()
    gate.flush(now=before)
    used_at = Token.objects.get().last_used_at
    assert used_at is not None
    assert abs(used_at.timestamp() - before) < 60
    gate.admit(holder)
    gate.flush(now=before)
    assert Token.objects.get().last_used_at == used_at


def test_a_use_that_a_clock_ahead_has_dated_is_dated_anew() -> None:
    gate, token = Gate(), issuing.create(name="ci", scopes=["read"])
    now = time.time()
    Token.objects.update(last_used_at=datetime.fromtimestamp(now + 3600, UTC))
    gate.admit(issuing.holder(token))
    gate.flush(now=now)

    used_at = Token.objects.get().last_used_at
    assert used_at is not None
    assert abs(used_at.timestamp() - now) < 60


def test_what_could_not_be_written_is_kept_for_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate()
    refuse(gate, Forbidden("no"))
    with monkeypatch.context() as patched:
        patched.setattr(audit, "record_refusals", _fail)
        with pytest.raises(DatabaseError):
            gate.flush(now=0)
    gate.flush(now=1)
    assert len(entries()) == 1


def test_requests_beyond_the_limit_are_refused_and_counted(settings: Settings) -> None:
    settings.TOKEN_LIMITS = {"requests_per_second": 1}
    gate, holder = Gate(), issuing.Holder(name="ci", scopes=frozenset())
    gate.limits = Limits(Clock())
    gate.admit(holder)
    gate.admit(holder)
    with pytest.raises(TooManyRequests):
        gate.admit(holder)
    registry = CollectorRegistry()
    registry.register(gate)
    assert b'rollcall_limited_requests_total{limit="requests_per_second",token="ci"} 1.0' in generate_latest(registry)


def test_a_view_that_refuses_is_noted(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.PROXY_NETWORKS = ["127.0.0.0/8"]
    gate = Gate()
    monkeypatch.setattr(apps.get_app_config("tokens"), "gate", gate)
    request = APIRequestFactory().get("/v1/secret", HTTP_X_FORWARDED_FOR="203.0.113.9")
    response = exception_handler(Forbidden("no"), {"request": request, "view": None})
    gate.flush(now=0)
    assert response is not None
    assert response.status_code == 403
    assert entries() == [("no token", "forbidden: GET /v1/secret", "203.0.113.9", 1)]


def test_a_native_lane_that_refuses_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate()
    monkeypatch.setattr(apps.get_app_config("tokens"), "gate", gate)
    scope = {"method": "PUT", "path": "/v1/x", "headers": [], "client": ("192.0.2.1", 1)}
    gates.note_in_native_lane(scope, problems.Unauthenticated("who?"))
    gate.flush(now=0)
    assert entries() == [("no token", "unauthenticated: PUT /v1/x", "192.0.2.1", 1)]


def _fail(refusals: object) -> None:
    raise DatabaseError("away")


def test_a_moment_is_kept(now: datetime) -> None:
    gate = Gate()
    refuse(gate, Forbidden("no"))
    gate.flush(now=now.timestamp())
    assert AuditEntry.objects.get().at == now
