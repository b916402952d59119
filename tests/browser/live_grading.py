"""Grading under its real server, in a process that a test may kill; the web UI reaches it through the faked world."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

import httpx2

from config import env
from tests import forked
from tests.ports import free_port
from tests.waiting import until
from tests.webui.faked.call import Answer, Call
from tests.webui.faked.grading import NAMES

MANAGE = env.BASE_DIR / "manage.py"
_SENT = ("authorization", "rollcall-act-for", "if-match", "content-type")


class LiveGrading:
    """Each test has a course of its own, taught by `teacher`; the first of its students is `student`."""

    def __init__(self, environment: Mapping[str, str], *, token: str) -> None:
        port = str(free_port())
        self.url = f"http://127.0.0.1:{port}"
        self._environment = {**environment, "GRADING_PORT": port, "GRADING_URL": self.url}
        self._numbers = count(1)
        self._process: forked.Program | None = None
        self.code = ""
        self.students: list[int] = []
        self.assignments: list[int] = []
        self._client = httpx2.Client(base_url=self.url, trust_env=False, timeout=60)
        self._own = {"Authorization": f"Bearer {token}"}
        self.start()

    def begin_anew(self) -> "LiveGrading":
        self.code, self.students, self.assignments = "", [], []
        if self._process is None:
            self.start()
        return self

    def start(self) -> None:
        self._process = forked.Program([str(MANAGE), "grading", "serve"], env=self._environment)
        until(lambda: self._client.get("/healthz").is_success, seconds=120)

    def kill(self) -> None:
        """Kill it as a machine does that loses its power."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        self.kill()
        self._client.close()

    def make_course(self, *, students: int = 5, assignments: int = 3) -> str:
        """Make a course; returns its address in the web UI."""
        self.code = f"math-{next(self._numbers)}"
        categories = [{"title": "Homework", "kind": "homework", "drop_lowest": 0}]
        body = {"code": self.code, "title": "Mathematics I", "scheme": "points", "teachers": ["teacher"]}
        course = self._post("/v1/courses", {**body, "categories": categories})
        path, category = f"/v1/courses/{self.code}", course["categories"][0]["id"]
        self._post(f"{path}/enrollments", {"role": "assistant", "username": "assistant"})
        self.assignments = [
            self._post(f"{path}/assignments", {"title": f"Homework {number}", "category": category, "points": "10"})[
                "id"
            ]
            for number in range(1, assignments + 1)
        ]
        others = [f"Student {number:03}" for number in range(1, students)]
        # A person is one student in all courses: only the first is the same one everywhere.
        names = NAMES[:students] if students <= len(NAMES) else [NAMES[0], *others]
        self.students = [
            self._post(
                f"{path}/students", {"name": name, "username": "student" if index == 0 else f"{self.code}-{index}"}
            )["id"]
            for index, name in enumerate(names)
        ]
        return f"/courses/{self.code}"

    def cell(self, student: int = 0, assignment: int = 0) -> str:
        return f"#g{self.students[student]}-{self.assignments[assignment]}"

    def put(self, student: int, assignment: int, **members: Any) -> None:
        """Store a grade as another program would."""
        path = f"/v1/grades/{self.students[student]}-{self.assignments[assignment]}"
        version = self._client.get(path, headers=self._own).json()["version"]
        answer = self._client.patch(path, headers={**self._own, "If-Match": f'"{version}"'}, json=members)
        assert answer.is_success, answer.text

    def put_all(self, grades: Sequence[tuple[int, int, str]]) -> None:
        """First grades, each of a student, an assignment and a score, by their places in the course."""
        rows = [
            {"student": self.students[student], "assignment": self.assignments[work], "score": score, "version": 0}
            for student, work, score in grades
        ]
        self._post(f"/v1/courses/{self.code}/grades:bulk", {"grades": rows})

    def score(self, student: int = 0, assignment: int = 0) -> str | None:
        path = f"/v1/grades/{self.students[student]}-{self.assignments[assignment]}"
        score: str | None = self._client.get(path, headers=self._own).json()["score"]
        return score

    def answer(self, call: Call) -> Answer:
        """The service's answer. Raises httpx2.TransportError while the process is killed."""
        headers = {name: call.headers[name] for name in _SENT if name in call.headers}
        answer = self._client.request(
            call.method, call.path, params=dict(call.query), headers=headers, content=call.content
        )
        return answer.status_code, answer.json() if answer.content else None

    def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        answer = self._client.post(path, headers=self._own, json=body)
        assert answer.is_success, answer.text
        return answer.json()


@contextmanager
def served_grading(environment: Mapping[str, str], *, token: str) -> Iterator[LiveGrading]:
    grading = LiveGrading(environment, token=token)
    try:
        yield grading
    finally:
        grading.close()
