"""Commands called as a shell calls them, in this process: arguments in, exit code and words out."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from config.commands import Utility

# Wrong calls of the commands that every service has.
REFUSED = (
    ("create_token",),
    ("create_token", "ci"),
    ("create_token", "ci", "--scope"),
    ("create_token", "ci", "--scope", "everything"),
    ("create_token", "two words", "--scope", "read"),
    ("list_tokens", "--all"),
    ("prepare", "--yaml"),
    ("provision", "now"),
    ("revoke_token",),
    ("revoke_token", "nobody"),
    ("serve", "--port", "0"),
    ("serve", "--port", "http"),
    ("serve", "--host", "localhost"),
    ("serve", "--host", "192.0.2.1", "--port", "65535"),
    ("nonsense",),
    ("",),
)


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


def refused(said: Said, *, code: int = 2) -> str:
    """The one sentence with which a command refuses what its caller can mend."""
    assert said.code == code, said
    assert said.out == "", said
    assert len(said.err.strip().splitlines()) == 1, said
    return said.err
