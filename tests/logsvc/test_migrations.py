"""The first release's records are found after the migration that replaces its table."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests.logsvc import factories

pytestmark = pytest.mark.django_db(transaction=True)


def test_records_of_the_first_release_are_moved() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate([("logsvc", "0001_record")])
    model = executor.loader.project_state([("logsvc", "0001_record")]).apps.get_model("logsvc", "Record")
    time, received_at = datetime(2026, 11, 1, 12, 0, 0, 250_000, UTC), datetime(2026, 11, 1, 12, 0, 1, tzinfo=UTC)
    uid = uuid4()
    model.objects.create(
        time=time,
        received_at=received_at,
        level=40,
        service="grading",
        instance="g-1",
        logger="a.b",
        message="no grade",
        attributes={"student": 7},
        exception="Traceback",
        uid=uid,
    )

    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())

    (found,) = factories.stored("grade attr.student:7 level:error Traceback")
    assert (found.time_ns, found.received_ns, found.uid) == (
        1_793_534_400_250_000_000,
        1_793_534_401_000_000_000,
        uid.hex,
    )
    assert found.attributes == {"student": 7, "exception.stacktrace": "Traceback"}
