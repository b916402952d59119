import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from config import env
from config.services import SERVICES
from tests import forked

DEPLOY = env.BASE_DIR / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
OURS = {name: service for name, service in COMPOSE["services"].items() if service["image"] == "rollcall"}
REFERENCE = re.compile(r"\$\{(\w+)(?::[-?][^}]*)?\}")


def environment(name: str, data_dir: Path) -> dict[str, str]:
    """The container's, on a database that needs no server."""
    given = {key: REFERENCE.sub("given-by-the-env-file", value) for key, value in OURS[name]["environment"].items()}
    databases = {key: f"sqlite:///{data_dir / key}" for key in given if key.endswith("_DATABASE_URL")}
    return given | databases | {"ROLLCALL_DATA_DIR": str(data_dir), "ROLLCALL_HTTPS": "", "PATH": os.environ["PATH"]}


def test_there_is_a_container_for_every_service_queue_and_schedule() -> None:
    queues = {f"{queue.replace('.', '-')}-worker" for service in SERVICES.values() for queue in service.queues}
    beats = {f"{service.name}-beat" for service in SERVICES.values() if service.queues}
    assert {*SERVICES, *(f"{name}-prepare" for name in SERVICES), *queues, *beats} == OURS.keys()


@pytest.mark.parametrize("queue", [queue for service in SERVICES.values() for queue in service.queues])
def test_a_worker_takes_the_queue_it_is_named_after(queue: str) -> None:
    command = OURS[f"{queue.replace('.', '-')}-worker"]["command"]
    assert command[command.index("--queues") + 1] == queue


def test_a_probe_asks_the_port_that_the_service_listens_on() -> None:
    for name, service in SERVICES.items():
        assert f":{service.default_port}/healthz" in OURS[name]["healthcheck"]["test"][-1]


def test_every_variable_without_a_default_is_in_the_example_and_every_one_there_is_used() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    needed = set(re.findall(r"\$\{(\w+):\?", text))
    listed = set(re.findall(r"^(\w+)=$", (DEPLOY / ".env.example").read_text(), re.MULTILINE))
    assert needed == listed


@pytest.mark.parametrize("name", [name for name in OURS if name.endswith("-prepare")])
def test_a_container_is_given_every_secret_it_needs(name: str, tmp_path: Path) -> None:
    service = name.removesuffix("-prepare")
    checked = forked.run([str(env.BASE_DIR / "manage.py"), service, "check"], env=environment(name, tmp_path))
    assert checked.returncode == 0, checked.stderr
    # A secret that is not given is made, and then no other container knows it.
    assert not (tmp_path / "secrets").exists()


def test_each_database_is_made_with_the_server() -> None:
    made = re.findall(r"CREATE DATABASE (\w+);", (DEPLOY / "postgres" / "databases.sql").read_text())
    assert sorted(made) == sorted(SERVICES)


def test_everything_that_the_image_copies_is_there_and_not_kept_from_it() -> None:
    copied = re.findall(r"^COPY (?!--from)(\S+) \S+$", (DEPLOY / "Containerfile").read_text(), re.MULTILINE)
    let_in = re.findall(r"^!(\S+)$", (DEPLOY / "Containerfile.dockerignore").read_text(), re.MULTILINE)
    assert sorted(copied) == sorted(let_in)
    assert all((env.BASE_DIR / path).exists() for path in copied)
    assert {"config", *SERVICES} <= set(copied)
