import logging
from datetime import datetime

import pytest

from registry.instances import declaration
from registry.instances.registration import register_many
from registry.instances.storage import Entry
from registry.journal.announce import log_changes
from registry.journal.log import Shown
from registry.models import Change
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


def test_each_change_is_a_log_record_that_names_the_instance_and_the_revision(
    now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    instance = factories.passing("billing", now=now)
    caplog.clear()

    with caplog.at_level(logging.INFO, logger="registry"):
        factories.judge(instance, succeeded=False, now=now, times=3)

    (record,) = caplog.records
    assert (record.levelname, record.getMessage()) == ("WARNING", "billing/billing-1 became critical: probed")
    said = vars(record)
    assert (said["service"], said["instance"], said["revision"]) == ("billing", "billing-1", 3)


def test_a_fleet_that_registers_at_once_is_one_record(now: datetime, caplog: pytest.LogCaptureFixture) -> None:
    declared = declaration.declaration({"url": "http://127.0.0.1:9000"})
    fleet = [
        Entry(key=declaration.instance_key("billing", f"billing-{n}"), declared=declared, author="t") for n in range(30)
    ]

    with caplog.at_level(logging.INFO, logger="registry"):
        register_many(fleet, now=now)

    assert [record.getMessage() for record in caplog.records] == ["30 instances of billing registered"]


@pytest.mark.parametrize(
    ("counts", "change", "records", "last"),
    [
        ({"billing": 5}, Change.REGISTERED, 5, "billing/billing-5 registered"),
        ({"billing": 6}, Change.REGISTERED, 1, "6 instances of billing registered"),
        ({"billing": 6, "ledger": 1}, Change.DEREGISTERED, 2, "ledger/ledger-1 deregistered"),
        ({"billing": 20}, Change.CRITICAL, 20, "billing/billing-20 became critical"),
        ({"billing": 20, "ledger": 1}, Change.CRITICAL, 2, "ledger/ledger-1 became critical"),
    ],
)
def test_few_changes_are_told_one_by_one_and_fewer_of_those_that_are_routine(
    counts: dict[str, int], change: Change, records: int, last: str, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    entries = [
        Shown(number, now, change, service, f"{service}-{number}", "t", "")
        for service, count in counts.items()
        for number in range(1, count + 1)
    ]

    with caplog.at_level(logging.INFO, logger="registry"):
        log_changes(entries)

    assert len(caplog.records) == records
    assert caplog.records[-1].getMessage() == last
