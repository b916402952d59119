"""A plugin of pytest's for a service's own settings: each worker has a data directory of its own.

Loaded by `-p tests.own_settings`, before the settings are.
"""

import atexit
import os
import shutil
import tempfile

os.environ["ROLLCALL_DATA_DIR"] = _directory = tempfile.mkdtemp(prefix="rollcall-test-")
# Registered first, so that it comes last.
atexit.register(shutil.rmtree, _directory, ignore_errors=True)
# Each worker has a database of its own there too.
if "LOGSVC_CLICKHOUSE_URL" in os.environ:
    os.environ["LOGSVC_CLICKHOUSE_URL"] += os.environ.get("PYTEST_XDIST_WORKER", "")
