"""The end of a process that probes."""

import os
import subprocess
import sys

from tests.system.running import MANAGE

CLOSING_AT_EXIT = """
import asyncio, atexit
from registry.health.prober import Prober
from registry.instances.declaration import address_policy

async def end():
    await Prober(address_policy(), on_alarm=print).close()

atexit.register(lambda: asyncio.run(end()))
"""


def test_a_process_that_ends_while_it_probes_says_nothing_of_it() -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test"}
    command = [sys.executable, "-c", f"import django\ndjango.setup()\n{CLOSING_AT_EXIT}"]
    ended = subprocess.run(command, cwd=MANAGE.parent, env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
