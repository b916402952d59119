import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.services import SERVICES
from config.supervision import obstacles
from config.supervision.obstacles import Obstacle
from tests.ports import free_port


@pytest.fixture
def free_ports(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Every service's port set to a free one."""
    ports = {name: free_port() for name in SERVICES}
    for name, port in ports.items():
        monkeypatch.setenv(f"{name.upper()}_PORT", str(port))
    return ports


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


def test_free_ports_are_no_obstacle(free_ports: dict[str, int]) -> None:
    obstacles.check_ports()


@pytest.mark.usefixtures("free_ports")
def test_a_taken_port_is_told_with_its_setting(monkeypatch: pytest.MonkeyPatch, taken_port: int) -> None:
    monkeypatch.setenv("GRADING_PORT", str(taken_port))
    with pytest.raises(Obstacle) as caught:
        obstacles.check_ports()
    assert str(caught.value) == (
        f"Cannot listen on 127.0.0.1, port {taken_port} (Address already in use): set GRADING_PORT to a free port."
    )


@pytest.mark.usefixtures("free_ports")
def test_every_taken_port_is_told_at_once(monkeypatch: pytest.MonkeyPatch, taken_port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv("GRADING_PORT", str(taken_port))
        monkeypatch.setenv("WEBUI_PORT", str(other.getsockname()[1]))
        with pytest.raises(Obstacle, match="set GRADING_PORT, WEBUI_PORT to free ports"):
            obstacles.check_ports()


def test_two_services_on_one_port_are_told(monkeypatch: pytest.MonkeyPatch, free_ports: dict[str, int]) -> None:
    monkeypatch.setenv("GRADING_PORT", str(free_ports["webui"]))
    with pytest.raises(Obstacle, match="GRADING_PORT and WEBUI_PORT are both"):
        obstacles.check_ports()


def test_a_second_one_on_a_data_directory_is_told_of_the_first(tmp_path: Path) -> None:
    lock = obstacles.take_lock(tmp_path)
    with pytest.raises(Obstacle, match=rf"\(process {os.getpid()}\).*ROLLCALL_DATA_DIR"):
        obstacles.take_lock(tmp_path)
    os.close(lock)


def test_the_lock_ends_with_its_last_holder(tmp_path: Path) -> None:
    lock = obstacles.take_lock(tmp_path)
    inherited = os.dup(lock)
    os.close(lock)
    with pytest.raises(Obstacle):
        obstacles.take_lock(tmp_path)
    os.close(inherited)
    os.close(obstacles.take_lock(tmp_path))


def test_a_redis_that_is_not_there_is_told_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(Obstacle, match="REDIS_URL") as caught:
        obstacles.check_redis(f"unix://user:hunter2@{tmp_path}/redis.sock")
    assert "hunter2" not in str(caught.value)
    assert "user@" in str(caught.value)


def test_a_redis_address_that_is_none_is_told() -> None:
    with pytest.raises(Obstacle, match="REDIS_URL"):
        obstacles.check_redis("nonsense")


def test_all_databases_that_cannot_be_reached_are_told_without_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGSVC", "GRADING"):
        monkeypatch.setenv(f"{name}_DATABASE_URL", f"postgres://rollcall:hunter2@127.0.0.1:{free_port()}/rollcall")
    with pytest.raises(Obstacle, match=r"LOGSVC_DATABASE_URL.* GRADING_DATABASE_URL") as caught:
        obstacles.check_databases()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["postgres://127.0.0.1:{port}/registry", "postgres:///registry", "sqlite:///:memory:"])
def test_a_database_that_listens_or_is_no_server_is_no_obstacle(
    monkeypatch: pytest.MonkeyPatch, taken_port: int, url: str
) -> None:
    monkeypatch.setenv("REGISTRY_DATABASE_URL", url.format(port=taken_port))
    obstacles.check_databases([SERVICES["registry"]])
