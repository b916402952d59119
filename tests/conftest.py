"""Fixtures and rules of every test."""

import functools
import gc
import logging
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpcore2
import pytest
from django.conf import settings as django_settings
from django.db import connection, transaction
from django.test import TransactionTestCase
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker

from logsvc.client import LogHandler
from tests import tables
from tests.examples import examples

# A machine with other work makes a property slow, and not wrong. Each run draws other examples, and runs are many: so
# half as many as Hypothesis draws do. All else is as it has it, also in CI.
settings.register_profile(
    "suite",
    parent=settings.get_profile(settings.get_current_profile_name()),
    max_examples=examples(50),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("suite")

# The job that a script puts into the background ignores Ctrl-C, or by nohup the end of its terminal, and so would the
# processes that tests end by it.
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database-only", action="store_true", help="only what uses a database")


def pytest_configure(config: pytest.Config) -> None:
    # What is kept of a password is Django's affair; to make it as slowly as it is meant to be proves nothing here.
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Each HTTP client would read the certificates of all authorities anew, which takes longer than most tests.
    httpcore2.default_ssl_context = functools.cache(httpcore2.default_ssl_context)
    # The settings of a service have its log records sent to where the registry of this machine says, if one runs here.
    # A command that is run whole sets logging up anew.
    configured: Any = django_settings.LOGGING
    if "logsvc" in configured.get("handlers", {}):
        configured["root"]["handlers"].remove("logsvc")
        del configured["handlers"]["logsvc"]
    root = logging.getLogger()
    for sending in [handler for handler in root.handlers if isinstance(handler, LogHandler)]:
        root.removeHandler(sending)
        sending.close()
    # Each test client would look for every static file anew.
    django_settings.WHITENOISE_AUTOREFRESH = True
    # Whether a commit has reached the disk shows when a machine loses its power, and in no test of one process.
    options = django_settings.DATABASES["default"].get("OPTIONS", {})
    if "init_command" in options:
        options["init_command"] = options["init_command"].replace("synchronous=FULL", "synchronous=OFF")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if connection.vendor != "postgresql":
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("postgresql")])
        items[:] = [item for item in items if not item.get_closest_marker("postgresql")]
    if config.getoption("--database-only"):
        chosen = [item for item in items if _uses_database(item)]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(chosen)])
        items[:] = chosen


def pytest_collection_finish(session: pytest.Session) -> None:
    # All that is imported by now stays until the end: the collector need not look through it again and again.
    gc.collect()
    gc.freeze()


def _uses_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    case = getattr(item, "cls", None)
    return (
        item.get_closest_marker("django_db") is not None
        or not fixtures.isdisjoint({"db", "transactional_db"})
        or (isinstance(case, type) and issubclass(case, TransactionTestCase))
    )


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """Whether the database is there already: `django_db_modify_db_settings` makes that of SQLite."""
    return connection.vendor == "sqlite"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None, django_db_blocker: DjangoDbBlocker) -> None:
    if connection.vendor == "sqlite":
        with django_db_blocker.unblock():
            tables.make()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Threads that live as long as their process keep connections, which keep PostgreSQL from dropping the database."""
    yield
    with django_db_blocker.unblock():
        if connection.vendor == "sqlite":
            connection.close()
            path = Path(connection.settings_dict["TEST"]["NAME"])
            for file in path.parent.glob(f"{path.name}*"):
                file.unlink()
        else:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )


@pytest.fixture(scope="module")
def module_db(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The database for what all tests of a module look at: what one of them changes is rolled back after it, and all
    that a fixture of the module has made after the last.

    Not for a module with a TestCase of Django's, whose end closes the connection.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)
