import shlex
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from supervisor.options import ServerOptions

from config.services import SERVICES
from config.supervision import configuration
from config.supervision.obstacles import Obstacle
from config.supervision.programs import REGISTRY, STORE, WORK, Program

REGISTRY_PROGRAM = Program(name="registry", group=REGISTRY, command=("a",), service=SERVICES["registry"])
GRADING = Program(name="grading", group=WORK, command=("b",), service=SERVICES["grading"])
PREPARE = Program(name="grading-prepare", group=WORK, command=("d",), is_preparation=True)
REDIS = Program(name="redis", group=STORE, command=("c",))


def read_back(directory: Path, *programs: Program) -> ServerOptions:
    """Write the configuration, and read it as supervisord does."""
    path = directory / "supervisord.conf"
    (directory / "run").mkdir(exist_ok=True)
    configuration.write(
        path,
        programs,
        socket=directory / "s.sock",
        log_dir=directory,
        run_dir=directory / "run",
        working_dir=directory,
        store_dir=directory,
    )
    options = ServerOptions()
    options.realize(["--configuration", str(path)])
    return options


def test_members_and_workers_stop_first_and_the_store_last(tmp_path: Path) -> None:
    groups = sorted(
        read_back(tmp_path, REDIS, REGISTRY_PROGRAM, GRADING).process_group_configs, key=lambda it: it.priority
    )
    assert [group.name for group in groups] == [STORE, REGISTRY, WORK]


def test_what_is_stopped_one_after_the_other_is_over_within_ten_seconds(tmp_path: Path) -> None:
    groups = read_back(tmp_path, REDIS, REGISTRY_PROGRAM, GRADING).process_group_configs
    assert sum(max(process.stopwaitsecs for process in group.process_configs) for group in groups) < 10


def test_only_the_store_and_what_prepares_start_by_themselves(tmp_path: Path) -> None:
    groups = read_back(tmp_path, REDIS, REGISTRY_PROGRAM, GRADING, PREPARE).process_group_configs
    started = {process.name for group in groups for process in group.process_configs if process.autostart}
    assert started == {"redis", "grading-prepare"}


def test_what_prepares_runs_once_and_its_errors_are_apart_from_its_output(tmp_path: Path) -> None:
    [group] = read_back(tmp_path, PREPARE).process_group_configs
    [process] = group.process_configs
    assert not process.autorestart
    assert process.startsecs == 0
    assert process.stdout_logfile == str(tmp_path / "run" / "grading-prepare.json")
    assert process.stderr_logfile == str(tmp_path / "grading-prepare.log")


def test_what_a_program_says_is_in_a_log_of_its_own(tmp_path: Path) -> None:
    [group] = read_back(tmp_path, GRADING).process_group_configs
    [process] = group.process_configs
    assert process.stdout_logfile == str(tmp_path / "grading.log")
    assert process.redirect_stderr


@pytest.mark.parametrize("name", ["100%", "a%b", "a%(b)s", "a b", "a'b", 'a"b', "a\\b", "a,b", "a$b"])
def test_a_directory_of_any_name_can_hold_the_data(tmp_path: Path, name: str) -> None:
    directory = tmp_path / name
    directory.mkdir()
    [group] = read_back(directory, REDIS).process_group_configs
    assert (group.process_configs[0].stdout_logfile, group.process_configs[0].directory) == (
        str(directory / "redis.log"),
        str(directory),
    )


def test_a_programs_environment_arrives(tmp_path: Path) -> None:
    program = Program(name="beat", group=WORK, command=("x",), environment={"DJANGO_SETTINGS_MODULE": "a.b"})
    [group] = read_back(tmp_path, program).process_group_configs
    assert group.process_configs[0].environment["DJANGO_SETTINGS_MODULE"] == "a.b"


@given(words=st.lists(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])), min_size=1, max_size=4))
def test_a_command_arrives_word_for_word_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory, words: list[str]
) -> None:
    program = Program(name="p", group=WORK, command=(sys.executable, *words))
    try:
        [group] = read_back(tmp_path_factory.mktemp("conf"), program).process_group_configs
    except Obstacle:
        assert any(mark in f" {shlex.join(words)}" for mark in (" ;", " #"))
    else:
        assert shlex.split(group.process_configs[0].command) == [sys.executable, *words]


def test_a_directory_that_supervisord_would_read_as_a_comment_is_refused(tmp_path: Path) -> None:
    directory = tmp_path / "C #"
    directory.mkdir()
    with pytest.raises(Obstacle, match="ROLLCALL_DATA_DIR"):
        read_back(directory, GRADING)
