"""The outcome of preparing a service, which a program of the supervisor does before the service is started."""

import json
from dataclasses import dataclass
from pathlib import Path

from config.services import Service
from config.supervision.obstacles import Obstacle
from config.supervision.programs import preparation_of
from config.supervision.supervisor import State


@dataclass(frozen=True, kw_only=True)
class Prepared:
    migrations: int
    # The passwords of the accounts that people sign in with, by username.
    accounts: dict[str, str]


class Preparation:
    """The preparation of one service; made before the supervisor is started, as it removes an earlier start's files."""

    def __init__(self, service: Service, *, log_dir: Path, run_dir: Path) -> None:
        self.service = service
        self.program = preparation_of(service)
        self._log = log_dir / f"{self.program}.log"
        self._output = run_dir / f"{self.program}.json"
        for path in (self._log, self._output):
            path.unlink(missing_ok=True)

    def outcome(self, state: State) -> Prepared | None:
        """The outcome; None while it goes on. Raises Obstacle with its error when it failed."""
        if state.name in ("STOPPED", "STARTING", "RUNNING"):
            return None
        if state.name != "EXITED" or state.exit_status:
            # The last line of a traceback names the error, and that of a command is its sentence.
            lines = self._log.read_text(errors="replace").strip().splitlines() if self._log.exists() else []
            reason = lines[-1] if lines else "The process ended without a word."
            raise Obstacle(f"{reason} (Preparing {self.service.name}; {self._log} has its whole output.)")
        return Prepared(**json.loads(self._output.read_text().splitlines()[-1]))
