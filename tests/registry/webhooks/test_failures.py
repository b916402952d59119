import logging
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from registry.webhooks import cursors
from registry.webhooks.compose import Message
from registry.webhooks.cursors import Attempt
from registry.webhooks.worker import WebhookWorker
from tests import factories

pytestmark = pytest.mark.django_db


def claimed(now: datetime, *names: str) -> list[Message]:
    for name in names:
        factories.register("webui", name, now=now, requires=["logsvc"])
    factories.passing("logsvc", now=now)
    return cursors.claim(now=now, limit=100)


def answered(message: Message, status: int, **members: Any) -> Attempt:
    error = "" if status < 300 else f"answered {status}"
    return Attempt(message=message, status_code=status, duration_ms=2.0, error=error, **members)


def settle(attempts: list[Attempt]) -> None:
    WebhookWorker(wake=lambda: None).write(attempts)


def test_a_delivery_that_fails_is_a_log_record_that_names_the_dependent_and_the_revision(
    now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    told, untold = claimed(now, "webui-1", "webui-2")
    caplog.clear()

    with caplog.at_level(logging.INFO, logger="registry"):
        settle([answered(told, 204), answered(untold, 503)])

    (record,) = caplog.records
    expected = f"webui/{untold.instance} was not told of revision {untold.to_revision}: answered 503"
    assert (record.levelname, record.getMessage()) == ("WARNING", expected)
    said = vars(record)
    assert (said["service"], said["instance"], said["revision"]) == ("webui", untold.instance, untold.to_revision)


def test_a_retry_that_fails_is_told_below_a_warning(now: datetime, caplog: pytest.LogCaptureFixture) -> None:
    (message,) = claimed(now, "webui-1")
    caplog.clear()

    with caplog.at_level(logging.INFO, logger="registry"):
        settle([answered(replace(message, attempts=1), 503)])

    assert [record.levelname for record in caplog.records] == ["INFO"]


def test_a_fleet_that_cannot_be_told_is_one_record(now: datetime, caplog: pytest.LogCaptureFixture) -> None:
    messages = claimed(now, *(f"webui-{number}" for number in range(30)))
    caplog.clear()

    with caplog.at_level(logging.INFO, logger="registry"):
        settle([answered(message, 503) for message in messages])

    revision = messages[-1].to_revision
    expected = f"30 instances of webui were not told of revision {revision}, the last: answered 503"
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [("WARNING", expected)]


def test_beside_a_fleet_a_single_dependent_is_named(now: datetime, caplog: pytest.LogCaptureFixture) -> None:
    factories.register("shop", now=now, requires=["logsvc"])
    messages = claimed(now, *(f"webui-{number}" for number in range(30)))
    caplog.clear()

    with caplog.at_level(logging.INFO, logger="registry"):
        settle([answered(message, 503) for message in messages])

    said = sorted(record.getMessage().partition(":")[0] for record in caplog.records)
    revision = messages[-1].to_revision
    assert said == [
        f"30 instances of webui were not told of revision {revision}, the last",
        f"shop/shop-1 was not told of revision {revision}",
    ]
