import json
from pathlib import Path

import pytest

from config.services import SERVICES
from config.supervision.obstacles import Obstacle
from config.supervision.preparation import Preparation, Prepared
from config.supervision.supervisor import State

DONE = State(name="EXITED", exit_status=0)
FAILED = State(name="EXITED", exit_status=2)


@pytest.fixture
def preparation(tmp_path: Path) -> Preparation:
    return Preparation(SERVICES["grading"], log_dir=tmp_path, run_dir=tmp_path)


@pytest.mark.parametrize("name", ["STOPPED", "STARTING", "RUNNING"])
def test_a_preparation_that_goes_on_has_no_outcome(preparation: Preparation, name: str) -> None:
    assert preparation.outcome(State(name=name, pid=1)) is None


def test_what_was_prepared_is_the_last_line_of_its_output(preparation: Preparation, tmp_path: Path) -> None:
    prepared = {"migrations": 3, "accounts": {"registrar": "secret"}}
    (tmp_path / "grading-prepare.json").write_text(f"Loaded.\n{json.dumps(prepared)}\n")
    assert preparation.outcome(DONE) == Prepared(migrations=3, accounts={"registrar": "secret"})


def test_one_that_failed_is_an_obstacle_with_its_last_words(preparation: Preparation, tmp_path: Path) -> None:
    (tmp_path / "grading-prepare.log").write_text("Traceback:\n  ...\nThe database of grading cannot be used.\n")
    with pytest.raises(Obstacle, match=r"^The database of grading cannot be used\. \(Preparing grading; .*\.log has"):
        preparation.outcome(FAILED)


@pytest.mark.parametrize("state", [State(name="EXITED", exit_status=-1), State(name="FATAL")])
def test_one_that_was_killed_or_never_ran_is_an_obstacle_too(preparation: Preparation, state: State) -> None:
    with pytest.raises(Obstacle, match="ended without a word"):
        preparation.outcome(state)


def test_what_an_earlier_start_has_left_is_gone(tmp_path: Path) -> None:
    for name in ("grading-prepare.json", "grading-prepare.log"):
        (tmp_path / name).write_text("old")
    preparation = Preparation(SERVICES["grading"], log_dir=tmp_path, run_dir=tmp_path)
    with pytest.raises(Obstacle, match="ended without a word"):
        preparation.outcome(FAILED)
