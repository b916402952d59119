"""The real system as a subprocess of the tests: `./manage.py up`, in a directory and on ports of its own."""

import os
import re
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any
from unittest.mock import patch
from urllib.parse import urljoin
from xmlrpc.client import ServerProxy

import httpx2
from supervisor.xmlrpc import SupervisorTransport

from config import env
from config.services import SERVICES
from tests import forked
from tests.ports import free_port
from tests.waiting import until

START_SECONDS = 240.0
# What `up` promises; it is waited for longer.
STOP_SECONDS = 10.0
REQUEST_SECONDS = 30.0
# For what takes several processes several steps, each of which may be waited for in turn.
SETTLED_SECONDS = 120.0
MANAGE = env.BASE_DIR / "manage.py"
# What would lead the processes to this machine's own data.
FOREIGN = re.compile(r"ROLLCALL_|DJANGO_|REDIS_URL|(REGISTRY|LOGSVC|GRADING|WEBUI|DEMO)_")


# Tests ask more of one token than is allowed where nobody says otherwise.
UNLIMITED = dict.fromkeys(
    (
        "ROLLCALL_TOKEN_REQUESTS_PER_SECOND",
        "REGISTRY_TOKEN_INSTANCES",
        "REGISTRY_TOKEN_CHANGES_PER_MINUTE",
        "REGISTRY_TOKEN_PROBES_PER_SECOND",
        "REGISTRY_TOKEN_REQUIREMENTS",
        "REGISTRY_TOKEN_WEBHOOKS_PER_SECOND",
        "LOGSVC_TOKEN_RECORDS_PER_SECOND",
    ),
    "0",
)


class System:
    """One start of `up`, from its beginning to its end."""

    def __init__(self, data_dir: Path, ports: Mapping[str, int]) -> None:
        self.data_dir = data_dir
        self.ports = ports
        self.urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        self._output = data_dir.with_name(f"{data_dir.name}.out")
        with self._output.open("wb") as output:
            self.process = up(data_dir, ports, output)

    @property
    def output(self) -> str:
        return self._output.read_text()

    @property
    def passwords(self) -> dict[str, str]:
        """The passwords as `up` has printed them."""
        return dict(re.findall(r"^ +(teacher|student|operator) +(\S+)$", self.output, re.MULTILINE))

    def await_passing(self) -> None:
        until(
            lambda: "Ctrl-C stops everything" in self.output or not self.is_running,
            seconds=START_SECONDS,
            explain=self.explain,
        )
        assert self.is_running, self.explain()

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def explain(self) -> str:
        logs = sorted((self.data_dir / "log").glob("*.log"))
        return "\n".join([self.output, *(f"== {log.name}\n{log.read_text()[-1500:]}" for log in logs)])

    def secret(self, name: str) -> str:
        return (self.data_dir / "secrets" / name.lower()).read_text()

    def get(self, service: str, path: str, token: str, **headers: str) -> Any:
        headers["Authorization"] = f"Bearer {self.secret(token)}"
        response = httpx2.get(self.urls[service] + path, headers=headers, timeout=REQUEST_SECONDS)
        assert response.status_code == 200, response.text
        return response.json()

    def statuses(self) -> dict[str, bool]:
        """Whether each of the system's services that is registered has an instance which passes."""
        listed = self.get("registry", "/v1/services", "REGISTRY_REGISTRY_TOKEN")["services"]
        return {entry["service"]: entry["passing"] > 0 for entry in listed if entry["service"] in SERVICES}

    def journal(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.get("registry", "/v1/journal?limit=1000", "REGISTRY_REGISTRY_TOKEN")[
            "entries"
        ]
        return entries

    def tell_supervisor(self, method: str, *arguments: Any) -> Any:
        with patch.dict(os.environ, ROLLCALL_DATA_DIR=str(self.data_dir)):
            # Elsewhere where the machine's temporary directory has a long name.
            transport = SupervisorTransport(serverurl=f"unix://{env.unix_socket('supervisord')}")
        with ServerProxy("http://localhost", transport=transport) as proxy:
            try:
                return getattr(proxy.supervisor, method)(*arguments)
            finally:
                transport.close()

    def kill(self, program: str) -> None:
        """Kill it and hold it down: left alone, the supervisor has it back before anybody can look."""
        pid = self.pid(program)
        # Stood still it does not hear the supervisor, and so neither ends in order nor ends before it is to stay down.
        os.kill(pid, signal.SIGSTOP)
        self.tell_supervisor("stopProcess", program, False)
        os.kill(pid, signal.SIGKILL)
        until(lambda: not self._pid(program))

    def pid(self, program: str) -> int:
        """The id of its process, once it has one: a signal to 0 would go to us and to all that we belong to."""
        return until(lambda: self._pid(program), seconds=SETTLED_SECONDS, explain=self.explain)

    def _pid(self, program: str) -> int:
        return int(self.tell_supervisor("getProcessInfo", program)["pid"])

    def pids(self) -> list[int]:
        """The ids of everything that runs, the supervisor and `up` included."""
        programs = [info["pid"] for info in self.tell_supervisor("getAllProcessInfo") if info["pid"]]
        return [self.process.pid, int(self.tell_supervisor("getPID")), *programs]

    def stop(self) -> float:
        """End `up` as a terminal or an init system does; how many seconds that took."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(6 * STOP_SECONDS)
        return time.monotonic() - begun

    def end(self) -> None:
        """End it in any state: nothing of it is left."""
        if self.is_running:
            self.stop()


class Browser(httpx2.Client):
    """Somebody at the web UI."""

    def sign_in(self, username: str, password: str) -> None:
        """Sign in by the service's own form, as a person does."""
        self.get("/sign-in")
        response = self.send_form("/sign-in", {"username": username, "password": password, "next": "/courses"})
        assert response.url.path == "/courses", response.text

    def send_form(self, path: str, fields: dict[str, str], **headers: str) -> httpx2.Response:
        """Send a form with the token that it would hold."""
        token = self.cookies["webui_csrf"]
        headers["Referer"] = urljoin(str(self.base_url), path)
        return self.post(path, data={**fields, "csrfmiddlewaretoken": token}, headers=headers)


def free_ports() -> dict[str, int]:
    """One for each service."""
    return {name: free_port() for name in SERVICES}


def environment(data_dir: Path, ports: Mapping[str, int], **variables: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not FOREIGN.match(name)}
    own = {f"{name.upper()}_PORT": str(port) for name, port in ports.items()}
    return inherited | own | UNLIMITED | {"ROLLCALL_DATA_DIR": str(data_dir), "PYTHONUNBUFFERED": "1"} | variables


def up(data_dir: Path, ports: Mapping[str, int], output: IO[bytes]) -> forked.Program:
    return forked.Program([str(MANAGE), "up"], env=environment(data_dir, ports), stdout=output, stderr=output)
