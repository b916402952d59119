import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from config import env
from tests.ports import free_port
from tests.system.running import SETTLED_SECONDS, START_SECONDS, STOP_SECONDS, Browser, System, environment
from tests.waiting import until

WRITING = {
    "registry": "/v1/services/webui/instances/webui-2",
    "logsvc": "/v1/records",
    "grading": "/v1/courses/algebra-1/students/1/grades/1",
    "webui": "/sign-in",
}
MEMBERS = {"logsvc", "grading", "webui"}
STUDENT = "/courses/algebra-1/students/1"
OUTAGE = "The grading service has been down since"


def test_all_are_registered_and_pass(system: System) -> None:
    assert system.statuses() == dict.fromkeys(MEMBERS, True)
    table = re.findall(r"^  (\w+) +(http://\S+) +passing$", system.output, re.MULTILINE)
    assert dict(table) == system.urls


def test_each_has_its_providers_from_the_registry_alone(system: System) -> None:
    for name, required in (("grading", {"logsvc"}), ("webui", {"logsvc", "grading"}), ("logsvc", set[str]())):
        path = f"/v1/instances/{name}/{name}-1/providers"
        providers = system.get("registry", path, f"{name}_REGISTRY_TOKEN")["providers"]
        urls = {provider: [instance["url"] for instance in found] for provider, found in providers.items()}
        assert urls == {provider: [system.urls[provider]] for provider in required}


def test_a_grade_added_in_the_web_ui_is_stored_and_its_log_line_is_found(system: System, teacher: Browser) -> None:
    assignment = ungraded_assignment(system)
    response = teacher.send_form(
        "/courses/algebra-1/cells",
        {"cell": f"g1-{assignment}", "score": "7.25", "version": "0"},
        **{"HX-Request": "true"},
    )
    assert response.status_code == 200
    assert grade(system, assignment)["score"] == "7.25"
    until(lambda: logged(system, "grading", f"assignment={assignment} version=1 author=teacher"))


def test_every_service_logs_to_the_log_service(system: System) -> None:
    until(lambda: all(logged(system, name, "") for name in system.urls))


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/x-ndjson"])
def test_no_service_fails_over_a_body_that_nobody_should_send(system: System, kind: str) -> None:
    limit = 8 * 1024 * 1024
    bodies = {b"[" * 100_000: range(200, 500), b"\xff\x00": range(200, 500), b"x" * (limit + 1): [413]}
    for service, path in WRITING.items():
        token = system.secret(f"WEBUI_{service}_TOKEN") if service != "webui" else "none"
        headers = {"Authorization": f"Bearer {token}", "Content-Type": kind, "Rollcall-Act-For": "teacher"}
        for body, expected in bodies.items():
            response = httpx2.request("PUT", system.urls[service] + path, content=body, headers=headers, timeout=60)
            assert response.status_code in expected, response.text


def test_grading_is_killed_and_all_who_need_it_know_and_recover_by_themselves(
    system: System, teacher: Browser, operator: Browser
) -> None:
    others = {name: system.pid(name) for name in ("registry:registry", "work:logsvc", "work:webui")}
    told = system.journal()[-1]["revision"]
    system.kill("work:grading")
    until(lambda: not system.statuses()["grading"], seconds=SETTLED_SECONDS)
    until(lambda: OUTAGE in teacher.get(STUDENT).text)
    until(lambda: "critical" in operator.get("/status").text)
    until(lambda: webui_was_told(system, "grading-1", after=told), seconds=SETTLED_SECONDS)

    system.tell_supervisor("startProcess", "work:grading", False)
    until(lambda: system.statuses()["grading"], seconds=SETTLED_SECONDS)
    until(lambda: OUTAGE not in teacher.get(STUDENT).text and teacher.get(STUDENT).status_code == 200)
    assert {name: system.pid(name) for name in others} == others


def test_the_readme_pasted_twice_registers_what_it_says(system: System, tmp_path: Path) -> None:
    section = (env.BASE_DIR / "README.md").read_text().split("## Register your own service")[1].split("\n## ")[0]
    ports = {"8001": system.ports["registry"], "9000": free_port()}
    # At once: in the port that stands for one of them the other may occur.
    section = re.sub(r"\b(8001|9000)\b", lambda found: str(ports[found[0]]), section)
    shell = "".join(re.findall(r"```sh\n(.*?)```", section, re.DOTALL))
    [program] = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    (tmp_path / "billing.py").write_text(program)
    stand_in = "" if shutil.which("curl") else f'curl() {{ {sys.executable} -m tests.system.curl "$@"; }}\n'
    script = f"set -e; trap 'kill $(jobs -p)' EXIT\n{stand_in}{2 * shell}\n{sys.executable} {tmp_path / 'billing.py'}\n"
    script += "./manage.py registry list_services\n"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=env.BASE_DIR,
        env={**environment(system.data_dir, system.ports), "PYTHONPATH": str(env.BASE_DIR)},
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert system.urls["logsvc"] in done.stdout
    instances = system.get("registry", "/v1/services/billing/instances", "REGISTRY_REGISTRY_TOKEN")["instances"]
    assert sorted(instance["instance"] for instance in instances) == ["billing-1", "billing-2"]


def test_a_process_that_dies_is_restarted_and_said_so(system: System) -> None:
    killed = system.pid("work:logsvc")
    os.kill(killed, signal.SIGKILL)
    until(lambda: "logsvc stopped unexpectedly" in system.output)
    until(lambda: "logsvc runs again" in system.output, seconds=SETTLED_SECONDS)
    assert system.pid("work:logsvc") != killed
    until(lambda: all(system.statuses().values()), seconds=SETTLED_SECONDS, explain=system.explain)


def test_redis_is_restarted_and_nothing_is_lost(system: System) -> None:
    beats = {name: system.pid(name) for name in ("work:registry-worker", "work:logsvc-worker")}
    os.kill(system.pid("store:redis"), signal.SIGKILL)
    until(lambda: "redis runs again" in system.output, seconds=SETTLED_SECONDS)
    revision = system.journal()[-1]["revision"]
    system.kill("work:grading")
    until(lambda: webui_was_told(system, "grading-1", after=revision), seconds=SETTLED_SECONDS, explain=system.explain)
    system.tell_supervisor("startProcess", "work:grading", False)
    until(lambda: all(system.statuses().values()), seconds=SETTLED_SECONDS, explain=system.explain)
    assert {name: system.pid(name) for name in beats} == beats


def test_a_stop_deregisters_everybody_and_leaves_no_process(system: System) -> None:
    pids = system.pids()
    before = system.journal()[-1]["revision"]
    seconds = system.stop()
    assert system.process.returncode == 0, system.explain()
    assert seconds < STOP_SECONDS
    assert [pid for pid in pids if is_alive(pid)] == []
    with sqlite3.connect(system.data_dir / "registry.sqlite3") as database:
        left = {service for [service] in database.execute("SELECT service FROM registry_instance")}
        changes = database.execute("SELECT change, service FROM registry_journalentry WHERE revision > ?", (before,))
        assert left.isdisjoint(MEMBERS)
        told = set(changes)
        assert {("deregistered", member) for member in MEMBERS} <= told
        # The registry was told before a connection was closed, and had nothing to find out.
        assert "critical" not in {change for change, _ in told}
    database.close()


def ungraded_assignment(system: System) -> int:
    return next(int(item["id"]) for item in record(system)["assignments"] if item["grade"]["version"] == 0)


def grade(system: System, assignment: int) -> dict[str, Any]:
    return next(item["grade"] for item in record(system)["assignments"] if item["id"] == assignment)


def record(system: System) -> dict[str, Any]:
    path = f"/v1{STUDENT}"
    found: dict[str, Any] = system.get("grading", path, "WEBUI_GRADING_TOKEN", **{"Rollcall-Act-For": "teacher"})
    return found


def logged(system: System, service: str, text: str) -> bool:
    path = f"/v1/records?service={service}&limit=200"
    records = system.get("logsvc", path, "WEBUI_LOGSVC_TOKEN")["records"]
    return any(text in record["message"] for record in records)


def webui_was_told(system: System, instance: str, *, after: int) -> bool:
    """Whether a change of that instance since then has been delivered to the web UI, whose log tells of it."""
    with sqlite3.connect(f"file:{system.data_dir / 'registry.sqlite3'}?mode=ro", uri=True) as database:
        changes = "SELECT MAX(revision) FROM registry_journalentry WHERE instance = ? AND revision > ?"
        [revision] = database.execute(changes, (instance, after)).fetchone()
        cursor = (
            "SELECT notified_revision FROM registry_cursor JOIN registry_instance i ON i.id = instance_id "
            "WHERE i.service = 'webui'"
        )
        [notified] = database.execute(cursor).fetchone()
    database.close()
    return revision is not None and notified >= revision


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
