"""supervisord's configuration for a list of programs."""

import re
import shlex
from collections.abc import Iterable
from configparser import RawConfigParser
from pathlib import Path

from config import privacy
from config.supervision.obstacles import Obstacle
from config.supervision.programs import STOP_SECONDS, Program

LOG_BYTES = 10 * 1024 * 1024
OLD_LOGS = 2
# How long a process must stay up to count as started: longer than it takes, on a busy machine, to find that it cannot.
# One that does not is tried again after 1, 2, 3 ... seconds.
UP_SECONDS = 8
TRIES = 5

# A comment's beginning to supervisord, wherever it stands in a line; it knows no way to write it otherwise.
_UNWRITABLE = re.compile(r"\s[;#]|[\r\n]")


def write(
    path: Path, programs: Iterable[Program], *, socket: Path, log_dir: Path, working_dir: Path, store_dir: Path
) -> None:
    """Raises Obstacle for a path that supervisord cannot read."""
    parser = RawConfigParser()
    sections = _base(socket, log_dir) | _programs(list(programs), log_dir, working_dir, store_dir)
    for section, options in sections.items():
        parser.add_section(section)
        for name, value in options.items():
            # Two passes of expansion read a process's log, and one all else.
            parser.set(section, name, _written(_written(value) if name == "stdout_logfile" else value))
    with path.open("w") as file:
        parser.write(file)


def _base(socket: Path, log_dir: Path) -> dict[str, dict[str, str]]:
    return {
        "unix_http_server": {"file": str(socket), "chmod": "0700"},
        "supervisord": {
            "nodaemon": "true",
            "silent": "true",
            "umask": f"{privacy.UMASK:03o}",
            "logfile": str(log_dir / "supervisord.log"),
            "logfile_maxbytes": str(LOG_BYTES),
            "logfile_backups": str(OLD_LOGS),
            "pidfile": str(log_dir / "supervisord.pid"),
            "childlogdir": str(log_dir),
        },
        # So that people can use supervisorctl: `supervisorctl -c <this file> status`.
        "supervisorctl": {"serverurl": f"unix://{socket}"},
        "rpcinterface:supervisor": {
            "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface",
        },
    }


def _programs(programs: list[Program], log_dir: Path, working_dir: Path, store_dir: Path) -> dict[str, dict[str, str]]:
    # supervisord stops the groups with the higher number first, all of a group at once.
    groups = {
        f"group:{group}": {
            "programs": ",".join(program.name for program in programs if program.group == group),
            "priority": str(priority),
        }
        for priority, group in enumerate(reversed(STOP_SECONDS), start=1)
        if any(program.group == group for program in programs)
    }
    return groups | {
        f"program:{program.name}": _program(program, log_dir, working_dir if program.service else store_dir)
        for program in programs
    }


def _program(program: Program, log_dir: Path, working_dir: Path) -> dict[str, str]:
    environment = {"PYTHONUNBUFFERED": "1", "ROLLCALL_PROGRAM": program.name} | program.environment
    return {
        "command": shlex.join(program.command),
        "directory": str(working_dir),
        "environment": ",".join(f'{name}="{value}"' for name, value in environment.items()),
        "autostart": "false" if program.service else "true",
        "autorestart": "true",
        "startsecs": str(UP_SECONDS),
        "startretries": str(TRIES),
        "stopwaitsecs": str(STOP_SECONDS[program.group]),
        "stopasgroup": "false",
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": str(log_dir / f"{program.name}.log"),
        "stdout_logfile_maxbytes": str(LOG_BYTES),
        "stdout_logfile_backups": str(OLD_LOGS),
    }


def _written(value: str) -> str:
    if _UNWRITABLE.search(value):
        raise Obstacle(
            f"supervisord cannot be told of {value!r}, which holds ' ;', ' #' or a new line: "
            "set ROLLCALL_DATA_DIR to a directory without, and keep the checkout in one."
        )
    return value.replace("%", "%%")
