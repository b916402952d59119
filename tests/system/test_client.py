"""The client in the real system: a service works on while the registry does not, and while its providers die."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event

import httpx2
import pytest

from config import env
from registry.client import Heartbeat, Membership, Registration, Registry, RollcallError
from tests import forked
from tests.clients.registry import wheel
from tests.ports import free_port
from tests.system.running import MANAGE, REQUEST_SECONDS, SETTLED_SECONDS, System, environment
from tests.waiting import until

# The registry starts within a minute on a busy machine; each service asks at least every 30 seconds, give or take a
# fifth, whether it is still known, and is probed at once.
RETURNED_SECONDS = 180.0
CALLERS = 4
CALLS = 100
# Between two calls of one caller: enough of them are under way at any time, and others have a processor, too.
BREATH_SECONDS = 0.005
# Where the outage takes some seconds, in which a call at any moment is enough.
LONG_BREATH_SECONDS = 0.1
MEMBERS = {"logsvc", "grading", "webui"}
EXAMPLES = env.BASE_DIR / "docs" / "examples"


class Way(httpx2.HTTPTransport):
    """A way from the client to the registry that can be cut."""

    is_cut = False

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if self.is_cut:
            raise httpx2.ConnectTimeout("no way", request=request)
        response = super().handle_request(request)
        if self.is_cut:
            response.close()
            raise httpx2.ReadTimeout("no way back", request=request)
        return response


@pytest.fixture(scope="module")
def token(system: System) -> str:
    return manage(system, "create_token", "tester", "--scope", "read", "--scope", "register:*").strip()


@pytest.fixture
def way() -> Way:
    return Way()


@pytest.fixture
def me(system: System, token: str, way: Way, tmp_path: Path) -> Iterator[Membership]:
    with join(system, token, way, tmp_path) as me:
        me.wait_for("grading", timeout=SETTLED_SECONDS)
        yield me


def test_its_providers_are_found_and_called_while_the_registry_hangs(
    system: System, token: str, me: Membership, tmp_path: Path
) -> None:
    pid = system.pid("registry:registry")
    os.kill(pid, signal.SIGSTOP)
    try:
        assert call(me) == 200
        # And after a restart of its own, which leaves the providers on disk.
        me.hand_over()
        with join(system, token, Way(), tmp_path) as restarted:
            assert call(restarted) == 200
            assert not restarted.is_registered
            os.kill(pid, signal.SIGCONT)
            until(lambda: restarted.is_registered)
    finally:
        os.kill(pid, signal.SIGCONT)


def test_it_is_registered_still_when_the_registry_was_killed_and_is_back(
    system: System, token: str, me: Membership
) -> None:
    os.kill(system.pid("registry:registry"), signal.SIGKILL)
    assert call(me) == 200
    until(lambda: "joiner-1" in instances(system, token, "joiner"), seconds=SETTLED_SECONDS)
    assert call(me) == 200


def test_it_learns_after_a_partition_what_happened_meanwhile(
    system: System, token: str, me: Membership, way: Way
) -> None:
    beating = Heartbeat(kind="ttl", interval_seconds=60.0)
    another = Registration(service="grading", instance="grading-9", url=system.urls["grading"], heartbeat=beating)
    with Registry(system.urls["registry"], token, timeout=REQUEST_SECONDS) as registry:
        way.is_cut = True
        registry.register(another)
        registry.beat("grading", "grading-9")
        assert names(me, "grading") == ["grading-1"]
        way.is_cut = False
        until(lambda: names(me, "grading") == ["grading-1", "grading-9"])
        way.is_cut = True
        registry.deregister("grading", "grading-9")
        assert names(me, "grading") == ["grading-1", "grading-9"]
        way.is_cut = False
        until(lambda: names(me, "grading") == ["grading-1"])


def test_it_hears_of_a_change_without_a_webhook_and_long_before_it_asks_again(
    system: System, token: str, tmp_path: Path
) -> None:
    beating = Heartbeat(kind="ttl", interval_seconds=60.0)
    another = Registration(service="grading", instance="grading-9", url=system.urls["grading"], heartbeat=beating)
    with (
        join(system, token, Way(), tmp_path, verify_seconds=None) as me,
        Registry(system.urls["registry"], token, timeout=REQUEST_SECONDS) as registry,
    ):
        me.wait_for("grading", timeout=SETTLED_SECONDS)
        registry.register(another)
        registry.beat("grading", "grading-9")
        until(lambda: names(me, "grading") == ["grading-1", "grading-9"])
        registry.deregister("grading", "grading-9")
        until(lambda: names(me, "grading") == ["grading-1"])


@pytest.mark.parametrize(("method", "answer"), [("GET", 200), ("POST", 501)])
def test_no_call_fails_beyond_those_in_flight_when_a_provider_is_killed(
    system: System, token: str, tmp_path: Path, method: str, answer: int
) -> None:
    service = f"echo-{method.lower()}"
    one, other = free_port(), free_port()
    sidecars = [serve(system, token, service, port) for port in (one, other)]
    try:
        with join(system, token, Way(), tmp_path, requires=service) as me:
            until(lambda: len(names(me, service)) == 2, seconds=SETTLED_SECONDS)
            outcomes = under_load(me, method, then=lambda: kill(sidecars[0]))
            until(lambda: names(me, service) == [f"{service}-{other}"], seconds=SETTLED_SECONDS)
    finally:
        for each in sidecars:
            kill(each)
    failures = [outcome for outcome in outcomes if outcome != answer]
    # What was sent and not answered may have been done: only what is idempotent is sent again.
    assert len(failures) <= (0 if method == "GET" else CALLERS), failures


def test_a_program_joins_from_a_fresh_environment_that_holds_nothing_but_the_wheel(
    system: System, token: str, tmp_path: Path
) -> None:
    python = wheel.install(tmp_path)
    ended = subprocess.run(
        [python, "-I", "-W", "error", EXAMPLES / "script.py"],
        env={"REGISTRY_URL": system.urls["registry"], "REGISTRY_TOKEN": token},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("grading says: ")
    changes = [entry["change"] for entry in system.journal() if entry["service"] == "report"]
    assert changes == ["registered", "passing", "deregistered"]


def test_a_registry_that_lost_its_database_knows_all_again_and_meanwhile_nobody_is_without_providers(
    system: System, tmp_path: Path
) -> None:
    """Last, for it takes the tester's token away with the rest; those of the services themselves are provisioned."""
    token = system.secret("WEBUI_REGISTRY_TOKEN")
    with join(system, token, Way(), tmp_path, service="webui", instance="webui-9") as me:
        me.wait_for("grading", timeout=SETTLED_SECONDS)
        outcomes = under_load(
            me, "GET", then=lambda: lose_the_database(system, me), path="/healthz", breath_seconds=LONG_BREATH_SECONDS
        )
    assert set(outcomes) == {200}, outcomes


def lose_the_database(system: System, me: Membership) -> None:
    """Lose the database and begin with an empty one; returns when everybody is known again."""
    # All that have it open, as whoever moves it does (test_replacing.py has one that works on).
    running = [each for each in system.tell_supervisor("getAllProcessInfo") if each["pid"]]
    programs = [f"{each['group']}:{each['name']}" for each in running]
    programs = [name for name in programs if name.split(":")[1].startswith("registry")]
    for program in programs:
        system.tell_supervisor("stopProcess", program)
    for file in system.data_dir.glob("registry.sqlite3*"):
        file.unlink()
    manage(system, "prepare")
    for program in programs:
        system.tell_supervisor("startProcess", program, False)
    until(
        lambda: all(f"{name}-1" in passing(system, name) for name in MEMBERS),
        seconds=RETURNED_SECONDS,
        explain=system.explain,
    )
    until(lambda: me.is_registered)


def passing(system: System, service: str) -> list[str]:
    path = f"/v1/services/{service}/instances?status=passing"
    return [each["instance"] for each in system.get("registry", path, "REGISTRY_REGISTRY_TOKEN")["instances"]]


def join(
    system: System,
    token: str,
    way: Way,
    state_dir: Path,
    *,
    service: str = "joiner",
    instance: str = "joiner-1",
    requires: str = "grading",
    verify_seconds: float | None = 1.0,
) -> Membership:
    registration = Registration(
        service=service,
        instance=instance,
        url="http://127.0.0.1:9",
        requires=[requires],
        heartbeat=Heartbeat(kind="ttl", interval_seconds=30.0),
    )
    registry = Registry(system.urls["registry"], token, timeout=2.0, transport=way)
    return registry.registered(registration, state_dir=state_dir, verify_seconds=verify_seconds)


def call(me: Membership) -> int:
    with me.client() as client:
        return client.get(f"rollcall://{me.registration.requires[0]}/healthz").status_code


def names(me: Membership, service: str) -> list[str]:
    return [provider.instance for provider in me.providers(service)]


def instances(system: System, token: str, service: str) -> list[str]:
    """The instances that pass; none while the registry is away."""
    with Registry(system.urls["registry"], token) as registry, suppress(RollcallError):
        return [instance.instance for instance in registry.instances(service, status="passing").instances]
    return []


def under_load(
    me: Membership,
    method: str,
    *,
    then: Callable[[], None],
    path: str = "/",
    breath_seconds: float = BREATH_SECONDS,
) -> list[object]:
    """The outcome of each call while a few callers went on calling, before `then` and for as long after it."""
    outcomes: list[object] = []
    ended = Event()

    def call_on() -> None:
        with me.client(timeout=REQUEST_SECONDS) as client:
            while not ended.is_set():
                try:
                    outcomes.append(
                        client.request(method, f"rollcall://{me.registration.requires[0]}{path}").status_code
                    )
                except (httpx2.TransportError, RollcallError) as error:
                    outcomes.append(error)
                ended.wait(breath_seconds)

    with ThreadPoolExecutor(CALLERS) as callers:
        running = [callers.submit(call_on) for _ in range(CALLERS)]
        try:
            for action in (then, ended.set):
                before = len(outcomes)
                until(lambda before=before: len(outcomes) > before + CALLS)  # type: ignore[misc]  # its default
                action()
        finally:
            ended.set()
        for each in running:
            each.result()
    return outcomes


def serve(system: System, token: str, service: str, port: int) -> forked.Program:
    """A program of somebody else's, run as an instance."""
    options = ["--instance", f"{service}-{port}", "--url", f"http://127.0.0.1:{port}"]
    program = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    with Path(os.devnull).open("wb") as nowhere:
        return forked.Program(
            [
                *(str(MANAGE), "registry", "run_service", service, *options),
                *("--heartbeat", "tcp", "--interval", "1", "--", *program),
            ],
            env=environment(system.data_dir, system.ports, ROLLCALL_TOKEN=token),
            stdout=nowhere,
            stderr=nowhere,
            own_session=True,
        )


def kill(sidecar: forked.Program) -> None:
    """Kill it with its program, so that nobody is left to deregister it."""
    with suppress(ProcessLookupError):
        os.killpg(sidecar.pid, signal.SIGKILL)
    sidecar.kill()
    sidecar.wait()


def manage(system: System, *arguments: str) -> str:
    done = forked.run([str(MANAGE), "registry", *arguments], env=environment(system.data_dir, system.ports))
    assert done.returncode == 0, done.stderr
    return done.stdout
