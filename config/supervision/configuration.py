"""supervisord's configuration for a list of programs."""

import re
import shlex
from collections.abc import Iterable
from configparser import RawConfigParser
from pathlib import Path

from config import privacy
from config.supervision.obstacles import Obstacle
from config.supervision.programs import STOP_SECONDS, STORE, Program

LOG_BYTES = 10 * 1024 * 1024
OLD_LOGS = 2
# How long a process must stay up to count as started: longer than a failing start takes on a busy machine. One that
# does not is tried again after 1, 2, 3 ... seconds.
UP_SECONDS = 8
TRIES = 5

# These begin a comment anywhere in a line of supervisord's, and cannot be escaped.
_UNWRITABLE = re.compile(r"\s[;#]|[\r\n]")


def write(
    path: Path,
    programs: Iterable[Program],
    *,
    socket: Path,
    log_dir: Path,
    run_dir: Path,
    working_dir: Path,
    store_dir: Path,
) -> None:
    """Write the configuration. Raises Obstacle for a path that supervisord cannot read."""
    parser = RawConfigParser()
    listed = list(programs)
    sections = _base(socket, log_dir)
    # supervisord stops the groups with the higher number first, all of a group at once.
    for priority, group in enumerate(reversed(STOP_SECONDS), start=1):
        if names := [program.name for program in listed if program.group == group]:
            sections[f"group:{group}"] = {"programs": ",".join(names), "priority": str(priority)}
    for program in listed:
        directory = store_dir if program.group == STORE else working_dir
        sections[f"program:{program.name}"] = _program(program, log_dir, directory) | (
            _once(program, log_dir, run_dir) if program.is_preparation else {}
        )
    for section, options in sections.items():
        parser.add_section(section)
        for name, value in options.items():
            # supervisord expands a process's logs twice, and everything else once.
            parser.set(section, name, _written(_written(value) if name.endswith("_logfile") else value))
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
        # For people who use supervisorctl: `supervisorctl -c <this file> status`.
        "supervisorctl": {"serverurl": f"unix://{socket}"},
        "rpcinterface:supervisor": {
            "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface",
        },
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


def _once(program: Program, log_dir: Path, run_dir: Path) -> dict[str, str]:
    """The options of a program that ends by itself, whose output and errors are told apart."""
    return {
        "autorestart": "false",
        "startsecs": "0",
        "startretries": "0",
        "redirect_stderr": "false",
        "stdout_logfile": str(run_dir / f"{program.name}.json"),
        "stderr_logfile": str(log_dir / f"{program.name}.log"),
        "stderr_logfile_maxbytes": str(LOG_BYTES),
        "stderr_logfile_backups": str(OLD_LOGS),
    }


def _written(value: str) -> str:
    if _UNWRITABLE.search(value):
        raise Obstacle(
            f"supervisord cannot read {value!r}, which holds ' ;', ' #' or a newline: "
            "set ROLLCALL_DATA_DIR to a directory without, and keep the checkout in one."
        )
    return value.replace("%", "%%")
