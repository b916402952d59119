"""Supervises by the configuration in a directory, and says what becomes of the lock on it: one line of JSON.

`supervising DIRECTORY`, or `supervising DIRECTORY briefly` to stop it before it is ready.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from config.supervision import obstacles
from config.supervision.obstacles import Obstacle
from config.supervision.process import Process
from config.supervision.supervisor import Supervisor


def main() -> None:
    directory = Path(sys.argv[1])
    with Process.fork() as process:
        lock = obstacles.take_lock(directory)
        supervisor = Supervisor.start(
            process,
            directory / "supervisord.conf",
            socket=directory / "supervisord.sock",
            log=directory / "supervisord.log",
            lock=lock,
        )
        os.close(lock)
        with asyncio.Runner() as runner:
            is_ready = "briefly" not in sys.argv and runner.run(supervisor.ready())
            meanwhile = is_free(directory)
            is_clean = runner.run(supervisor.stop(within_seconds=60.0))
    print(json.dumps({"ready": is_ready, "free": [meanwhile, is_free(directory)], "clean": is_clean}))


def is_free(directory: Path) -> bool:
    try:
        os.close(obstacles.take_lock(directory))
    except Obstacle:
        return False
    return True


if __name__ == "__main__":
    main()
