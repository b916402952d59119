"""The plans by which SQLite finds what is asked most: none goes through a fleet, however large it is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from django.db import connection

from registry.instances import catalogue
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def plans() -> Iterator[list[str]]:
    """Filled with the plan of each statement that reads instances."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL plans by what its tables hold")
    found: list[str] = []

    def explain(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip().startswith("SELECT") and "registry_instance" in sql:
            with without_explaining(), connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
                found.extend(row[3] for row in cursor.fetchall() if "registry_instance" in row[3])
        return execute(sql, params, many, context)

    @contextmanager
    def without_explaining() -> Iterator[None]:
        connection.execute_wrappers.remove(explain)
        yield
        connection.execute_wrappers.append(explain)

    with connection.execute_wrapper(explain):
        yield found


def test_a_registration_looks_for_its_own_rows_alone(now: datetime, plans: list[str]) -> None:
    factories.register("billing", now=now)

    assert plans
    assert [plan for plan in plans if "(service=? AND " not in plan] == []


def test_providers_are_found_by_their_service(plans: list[str]) -> None:
    catalogue.offered(["logsvc"])
    catalogue.all_offered(["logsvc"])
    catalogue.offering(["logsvc"])

    assert len(plans) == 3
    assert [plan for plan in plans if "(service=?)" not in plan] == []
