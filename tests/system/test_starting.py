import os
import signal
import socket
from pathlib import Path

import pytest

from config.supervision import obstacles
from tests import forked
from tests.system.running import MANAGE, SETTLED_SECONDS, START_SECONDS, System, environment, free_ports
from tests.system.test_story import is_alive
from tests.waiting import until


def refused(data_dir: Path, ports: dict[str, int], **variables: str) -> str:
    """The output of an `up` that does not start: one line, and no line of a traceback."""
    result = forked.run([str(MANAGE), "up"], env=environment(data_dir, ports, **variables))
    assert result.returncode != 0
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    return result.stderr


def test_a_port_that_is_taken_names_its_setting(tmp_path: Path) -> None:
    ports = free_ports()
    with socket.create_server(("127.0.0.1", ports["grading"])):
        assert f"port {ports['grading']} (Address already in use): set GRADING_PORT" in refused(tmp_path, ports)
    assert not (tmp_path / "supervisord.sock").exists()


def test_all_taken_ports_are_named_at_once(tmp_path: Path) -> None:
    ports = free_ports()
    with (
        socket.create_server(("127.0.0.1", ports["registry"])),
        socket.create_server(("127.0.0.1", ports["webui"])),
    ):
        assert "set REGISTRY_PORT, WEBUI_PORT to free ports" in refused(tmp_path, ports)


@pytest.mark.parametrize("place", ["file/data", "/proc/rollcall"])
def test_a_data_directory_that_cannot_be_written_names_its_setting(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    assert "set ROLLCALL_DATA_DIR" in refused(tmp_path / place, free_ports())


def test_a_data_directory_whose_log_cannot_be_written_names_its_setting(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    assert "set ROLLCALL_DATA_DIR" in refused(tmp_path, free_ports())


def test_a_redis_that_cannot_be_reached_names_its_setting(tmp_path: Path) -> None:
    [port, *_] = free_ports().values()
    sentence = refused(tmp_path, free_ports(), REDIS_URL=f"redis://:hunter2@127.0.0.1:{port}/0")
    assert "set REDIS_URL" in sentence
    assert "hunter2" not in sentence


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GRADING_PORT", "http"),
        ("REDIS_URL", "localhost"),
        ("GRADING_DATABASE_URL", "nonsense://host"),
        ("REGISTRY_ALLOWED_NETWORKS", "127.0.0.1/8"),
        ("WEBUI_INSTANCE", "Web UI"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(tmp_path: Path, variable: str, value: str) -> None:
    assert variable in refused(tmp_path, free_ports(), **{variable: value})


def test_all_settings_that_make_no_sense_are_named_before_anything_is_prepared(tmp_path: Path) -> None:
    sentences = refused(tmp_path, free_ports(), GRADING_DATABASE_URL="nonsense://host", WEBUI_INSTANCE="Web UI")
    assert "GRADING_DATABASE_URL" in sentences
    assert "WEBUI_INSTANCE" in sentences
    assert not list((tmp_path / "log").iterdir())


def test_a_database_that_cannot_be_reached_names_its_setting(tmp_path: Path) -> None:
    [port, *_] = free_ports().values()
    url = f"postgres://rollcall:hunter2@127.0.0.1:{port}/logsvc"
    sentence = refused(tmp_path, free_ports(), LOGSVC_DATABASE_URL=url)
    assert "LOGSVC_DATABASE_URL" in sentence
    assert "hunter2" not in sentence
    assert not (tmp_path / "supervisord.sock").exists()
    # Before anything is prepared.
    assert not list((tmp_path / "log").iterdir())


def test_a_second_one_on_the_same_data_directory_is_refused(tmp_path: Path) -> None:
    lock = obstacles.take_lock(tmp_path)
    assert "set ROLLCALL_DATA_DIR to another" in refused(tmp_path, free_ports())
    os.close(lock)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_ended_while_it_starts_it_leaves_no_process(tmp_path: Path, ending: signal.Signals) -> None:
    system = System(tmp_path / "data", free_ports())
    until(lambda: "prepared and started" in system.output, seconds=START_SECONDS, explain=system.explain)
    pids = system.pids()
    system.process.send_signal(ending)
    system.process.wait(SETTLED_SECONDS)
    until(lambda: not any(map(is_alive, filter(None, pids))), seconds=SETTLED_SECONDS, explain=system.explain)
    assert system.process.returncode == (-ending if ending is signal.SIGKILL else 0)
