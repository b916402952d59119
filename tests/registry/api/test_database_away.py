"""A database that fails amid a request is a 503 wherever it fails, and takes nothing back that was stored."""

from datetime import datetime

import pytest
from django.db import InterfaceError, OperationalError
from django.test import RequestFactory

from config import problems
from registry.journal import log
from registry.models import Instance
from tests import factories
from tests.registry.conftest import ClientOf


@pytest.mark.django_db
def test_a_change_whose_revision_cannot_be_read_any_more_is_answered_without_it(
    client_of: ClientOf, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.register("billing", requires=["logsvc"], now=now)

    def head() -> int:
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr(log, "head", head)
    answer = client_of("operate").post("/v1/services/billing/instances/billing-1/resync")

    assert answer.status_code < 300
    assert "Rollcall-Revision" not in answer.headers
    assert Instance.objects.filter(name="billing-1").exists()


@pytest.mark.parametrize("error", [OperationalError("gone"), InterfaceError("connection already closed")])
def test_a_database_that_fails_outside_of_a_view_is_a_503(error: Exception) -> None:
    try:
        raise error
    except type(error):
        answer = problems.server_error(RequestFactory().get("/"))

    assert answer.status_code == 503


def test_any_other_failure_is_a_500_that_says_nothing_of_it() -> None:
    try:
        raise RuntimeError("a secret")
    except RuntimeError:
        answer = problems.server_error(RequestFactory().get("/"))

    assert answer.status_code == 500
    assert b"secret" not in answer.content
