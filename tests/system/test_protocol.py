"""The calls that docs/protocol.md shows work as they stand there, one after the other."""

import re
import shlex
from string import Template

import httpx2

from config import env
from tests.system.curl import send
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
        answer = send(shlex.split(Template(call).substitute(variables))[1:])
        assert answer.is_success, f"{call}\n{answer.status_code} {answer.text}"


def test_each_call_that_there_is_stands_in_the_documentation(system: System) -> None:
    described = httpx2.get(f"{system.urls['registry']}/v1/openapi.json", timeout=40.0).json()["paths"]
    shown = "\n".join(BLOCK.findall((env.BASE_DIR / "docs" / "protocol.md").read_text())).replace("\\\n", " ")

    missing = [
        f"{method.upper()} {path}"
        for path, methods in described.items()
        for method in methods
        if not any(is_of(line, method.upper(), path) for line in shown.splitlines() if line.startswith("curl"))
    ]

    assert missing == []


def is_of(call: str, method: str, path: str) -> bool:
    """Whether a line of the documentation calls that method of that address, which names members as {service}."""
    given = re.search(r"-X (\w+)", call)
    address = re.sub(r"\\\{\w+\\\}", "[a-z0-9-]+", re.escape(path))
    called = re.search(r"\$REGISTRY(/[^\s\"?]*)", call)
    is_called = called is not None and re.fullmatch(address, called[1]) is not None
    return is_called and method == (given[1] if given else "GET")


def calls() -> list[str]:
    """Each on one line, with its variables."""
    text = (env.BASE_DIR / "docs" / "protocol.md").read_text()
    lines = "\n".join(BLOCK.findall(text)).replace("\\\n", " ").splitlines()
    found = [line for line in lines if line.startswith("curl") and not line.startswith(ENDLESS)]
    assert len(found) > 10
    return found
