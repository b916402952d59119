from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from config.supervision.news import Condition, Observer, condition_of
from config.supervision.supervisor import State

UP, STARTING, BACKOFF = State(name="RUNNING", pid=1), State(name="STARTING", pid=2), State(name="BACKOFF")
FATAL, STOPPED = State(name="FATAL"), State(name="STOPPED")
STATES = st.builds(
    State,
    name=st.sampled_from(["RUNNING", "STARTING", "BACKOFF", "EXITED", "FATAL", "STOPPING", "STOPPED", "UNKNOWN"]),
    pid=st.integers(0, 3),
    exit_status=st.integers(-1, 2),
)


def told(*states: State) -> list[str]:
    """The sentences of a process that the supervisor saw so, one after the other."""
    observer = Observer(log_dir=Path("/log"), pause_seconds=30)
    return [item.sentence for state in states for item in observer.look({"grading": state})]


def test_an_ordinary_start_and_stop_is_no_news() -> None:
    stopping = State(name="STOPPING", pid=1)
    assert told(STOPPED, State(name="STARTING", pid=1), UP, UP, stopping, STOPPED) == []


def test_a_crash_is_told_with_its_log_and_then_that_it_is_over() -> None:
    killed = State(name="EXITED", exit_status=-1)
    assert told(UP, killed, STARTING, State(name="RUNNING", pid=2)) == [
        "grading stopped unexpectedly (killed) and is being restarted; see /log/grading.log",
        "grading runs again",
    ]


def test_an_exit_status_is_named() -> None:
    [sentence] = told(UP, State(name="EXITED", exit_status=3))
    assert "(exit status 3)" in sentence


def test_a_restart_between_two_looks_is_noticed_by_its_process_id() -> None:
    assert told(UP, STARTING)[0].startswith("grading stopped unexpectedly")


def test_a_process_that_keeps_crashing_is_told_of_once() -> None:
    assert len(told(UP, BACKOFF, STARTING, BACKOFF, STARTING, BACKOFF)) == 1


def test_giving_up_is_told_with_the_time_of_the_next_try() -> None:
    assert told(STARTING, BACKOFF, FATAL, FATAL)[1:] == [
        "grading does not stay up, it is tried again in 30 s; see /log/grading.log"
    ]


def test_each_time_of_giving_up_is_told() -> None:
    assert len(told(FATAL, STARTING, BACKOFF, FATAL)) == 2


def test_stopping_a_process_on_purpose_is_no_news() -> None:
    assert told(UP, State(name="STOPPING", pid=1), STOPPED, State(name="STARTING", pid=5)) == []


@given(st.lists(STATES, max_size=20))
def test_that_a_process_runs_again_is_told_only_of_one_that_was_in_trouble(states: list[State]) -> None:
    observer = Observer(log_dir=Path("/log"), pause_seconds=30)
    is_in_trouble = False
    for state in states:
        for item in observer.look({"grading": state}):
            assert item.is_bad or is_in_trouble
            assert item.is_bad or condition_of(state) is Condition.UP
            is_in_trouble = item.is_bad


@given(st.lists(STATES, max_size=20))
def test_a_process_that_stays_up_causes_no_more_news(states: list[State]) -> None:
    observer = Observer(log_dir=Path("/log"), pause_seconds=30)
    for state in [*states, UP, UP]:
        observer.look({"grading": state})
    assert observer.look({"grading": UP}) == []
