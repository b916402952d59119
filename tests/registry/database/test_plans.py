"""The plans of what is asked most: on SQLite none goes through a fleet, and PostgreSQL makes one for all."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from django.db import connection

from registry.database import snapshots, statements
from registry.database.snapshots import Wanted
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


@pytest.mark.postgresql
def test_a_read_of_any_number_of_services_is_planned_once_and_never_compiled() -> None:
    for number in range(1, 13):
        snapshots.stamps([Wanted("billing")] * number)

    plans = "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%%array_agg(xmin)%%'"
    [(generic, custom)] = statements.fetch(plans)
    # The first five times it compares.
    assert custom <= 5 < generic
    # Asked for by the connection: a server that was built without a compiler has it off anyway.
    assert statements.fetch("SELECT setting, source FROM pg_settings WHERE name = 'jit'") == [("off", "client")]
