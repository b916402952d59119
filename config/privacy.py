"""The data directory is its owner's alone: databases, logs and secrets are readable by no other user of the machine."""

import os
import stat
from pathlib import Path

UMASK = 0o077
DIRECTORY_MODE = 0o700
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def begin() -> None:
    """Called by every process before it makes its first file."""
    os.umask(UMASK)


def repair(data_dir: Path) -> int:
    """Remove other users' rights that an earlier version or a careless copy left; returns how many were changed.

    Files of other users, and what a link points to, are left alone.
    """
    changed = int(close(data_dir))
    for directory, names, files in os.walk(data_dir):
        changed += sum(close(Path(directory, name)) for name in (*names, *files))
    return changed


def close(path: Path) -> bool:
    """Remove others' rights to the file or directory; returns whether they had any."""
    try:
        found = path.lstat()
        is_ours = found.st_uid == os.geteuid()
        if stat.S_ISLNK(found.st_mode) or not is_ours or not found.st_mode & _OTHERS:
            return False
        path.chmod(stat.S_IMODE(found.st_mode) & ~_OTHERS)
    except FileNotFoundError:
        # A log that was rotated, or a socket whose process ended.
        return False
    return True
