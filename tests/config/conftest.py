from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest


@pytest.fixture
def short_path() -> Iterator[Path]:
    """As `tmp_path`, for a socket: what it is called has room for 107 bytes, and the supervisor adds to it."""
    with TemporaryDirectory(prefix="rollcall-") as name:
        yield Path(name)
