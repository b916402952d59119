"""News of processes that ended by themselves, from one look at the supervisor to the next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

from config.supervision.supervisor import State


class Condition(Enum):
    UP = auto()
    COMING = auto()
    DOWN = auto()
    GIVEN_UP = auto()
    AT_REST = auto()


_CONDITIONS = {
    "RUNNING": Condition.UP,
    "STARTING": Condition.COMING,
    "BACKOFF": Condition.DOWN,
    "EXITED": Condition.DOWN,
    "UNKNOWN": Condition.DOWN,
    "FATAL": Condition.GIVEN_UP,
}


@dataclass(frozen=True, kw_only=True)
class Item:
    sentence: str
    is_bad: bool


@dataclass(kw_only=True)
class Observer:
    """Reports every unexpected end once, and once when the process runs again."""

    log_dir: Path
    pause_seconds: float
    _last: dict[str, State] = field(default_factory=dict)
    _troubled: set[str] = field(default_factory=set)

    def look(self, states: Mapping[str, State]) -> list[Item]:
        items = []
        for name, state in states.items():
            before, condition = self._last.get(name, State(name="STOPPED")), condition_of(state)
            if condition is Condition.AT_REST:
                self._troubled.discard(name)
            elif condition is Condition.GIVEN_UP and condition_of(before) is not Condition.GIVEN_UP:
                self._troubled.add(name)
                log = self.log_dir / f"{name}.log"
                sentence = f"{name} does not stay up, it is tried again in {self.pause_seconds:.0f} s; see {log}"
                items.append(Item(sentence=sentence, is_bad=True))
            elif name not in self._troubled and _ended(before, state):
                self._troubled.add(name)
                items.append(Item(sentence=self._ended(name, state), is_bad=True))
            elif name in self._troubled and condition is Condition.UP:
                self._troubled.discard(name)
                items.append(Item(sentence=f"{name} runs again", is_bad=False))
        self._last = dict(states)
        return items

    def _ended(self, name: str, state: State) -> str:
        how = f" (exit status {state.exit_status})" if state.exit_status else ""
        if state.exit_status < 0:
            how = " (killed)"
        return f"{name} stopped unexpectedly{how} and is being restarted; see {self.log_dir / name}.log"


def condition_of(state: State) -> Condition:
    return _CONDITIONS.get(state.name, Condition.AT_REST)


def _ended(before: State, after: State) -> bool:
    """Whether a process ended by itself in between, even if another has already taken its place."""
    if condition_of(after) is Condition.DOWN:
        return True
    has_run = condition_of(before) in (Condition.UP, Condition.COMING)
    return has_run and bool(before.pid) and before.pid != after.pid
