"""Commands called as a shell calls them, in this process: arguments in, exit code and words out."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from config.commands import Utility


@dataclass(frozen=True, kw_only=True)
class Said:
    code: int
    out: str
    err: str


Call = Callable[..., Said]


def caller(capsys: pytest.CaptureFixture[str]) -> Call:
    """A command called so closes its connections: the database's must be kept open where a test is in a transaction."""

    def call(*arguments: str) -> Said:
        capsys.readouterr()
        ended: SystemExit | None = None
        try:
            Utility(["manage.py", *arguments]).execute()
        except SystemExit as end:
            ended = end
        said = capsys.readouterr()
        return Said(code=int(ended.code or 0) if ended else 0, out=said.out, err=said.err)

    return call


def refused(said: Said) -> str:
    """The one sentence with which a command refuses what its caller can mend."""
    assert said.code == 2, said
    assert said.out == "", said
    assert len(said.err.strip().splitlines()) == 1, said
    return said.err
