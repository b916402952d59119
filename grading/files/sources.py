"""Files on this machine, as commands name them."""

import sys
from pathlib import Path

from config.problems import Invalid

MOST_BYTES = 8 * 1024 * 1024


def read(path: str) -> bytes:
    """The file's bytes, or standard input's for `-`. Raises Invalid."""
    try:
        content = sys.stdin.buffer.read(MOST_BYTES + 1) if path == "-" else _read(Path(path))
    except (OSError, ValueError) as error:
        raise Invalid(f"The file {path!r} cannot be read ({_reason(error)}): name another.") from error
    if len(content) > MOST_BYTES:
        raise Invalid(f"The file {path!r} is larger than {MOST_BYTES} bytes: divide it.")
    return content


def write(path: str, content: bytes) -> None:
    """Write the file whole or not at all. Raises Invalid."""
    target = Path(path)
    draft = target.with_name(f".{target.name}.part")
    try:
        draft.write_bytes(content)
        draft.replace(target)
    except (OSError, ValueError) as error:
        raise Invalid(f"The file {path!r} cannot be written ({_reason(error)}): name another.") from error


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
