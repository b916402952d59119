"""The calls that docs/protocol.md shows work as they stand there, one after the other."""

import re
import shlex
from argparse import ArgumentParser
from string import Template

import httpx2

from config import env
from tests.system.running import System
from tests.system.test_client import manage

BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
# Follows events without end.
ENDLESS = "curl -N"


def test_each_call_of_the_documentation_succeeds(system: System) -> None:
    scopes = ["--scope", "read", "--scope", "operate", "--scope", "register:*"]
    token = manage(system, "create_token", "documentation", *scopes).strip()
    variables = {"REGISTRY": system.urls["registry"], "TOKEN": token}
    for call in calls():
        answer = send(Template(call).substitute(variables))
        assert answer.is_success, f"{call}\n{answer.status_code} {answer.text}"


def calls() -> list[str]:
    """Each on one line, with its variables."""
    text = (env.BASE_DIR / "docs" / "protocol.md").read_text()
    lines = "\n".join(BLOCK.findall(text)).replace("\\\n", " ").splitlines()
    found = [line for line in lines if line.startswith("curl") and not line.startswith(ENDLESS)]
    assert len(found) > 10
    return found


def send(call: str) -> httpx2.Response:
    """As curl would, which need not be installed."""
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("url")
    parser.add_argument("-X", default="GET", dest="method")
    parser.add_argument("-H", action="append", default=[], dest="headers")
    parser.add_argument("-d", dest="body")
    given = parser.parse_args(shlex.split(call)[1:])
    headers = dict(header.split(": ", 1) for header in given.headers)
    return httpx2.request(given.method, given.url, headers=headers, content=given.body, timeout=40.0)
