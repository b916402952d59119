"""`kill -9` of the grading service under concurrent writers: what was acknowledged is there, once, and in order."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests import forked, preparing
from tests.system.running import MANAGE, REQUEST_SECONDS, SETTLED_SECONDS, environment, free_ports
from tests.waiting import until

KILLS = 3
WRITERS = 4
WRITES_BETWEEN_KILLS = 30


@dataclass(frozen=True)
class Acknowledged:
    grade: str
    version: int
    score: Decimal


class GradingService:
    def __init__(self, directory: Path) -> None:
        self._environment = environment(directory, free_ports())
        self.url = f"http://127.0.0.1:{self._environment['GRADING_PORT']}"
        self._token = preparing.prepare("grading", "read", "write", environment=self._environment)
        self.start()

    def start(self) -> None:
        self.process = forked.Program([str(MANAGE), "grading", "serve"], env=self._environment)
        until(lambda: httpx2.get(f"{self.url}/healthz").status_code == 200, seconds=SETTLED_SECONDS)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def client(self) -> httpx2.Client:
        headers = {"Authorization": f"Bearer {self._token}"}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=REQUEST_SECONDS)


class Writers:
    """Each stores grades in a cell of its own and in one that all share, as fast as it is answered."""

    def __init__(self, service: GradingService, cells: list[str]) -> None:
        self.acknowledged: list[Acknowledged] = []
        self._service = service
        self._cells = cells
        self._is_over = threading.Event()
        self._pool = ThreadPoolExecutor(WRITERS)
        self._running = [self._pool.submit(self._write, number) for number in range(WRITERS)]

    def await_more(self, count: int) -> None:
        wanted = len(self.acknowledged) + count
        until(
            lambda: len(self.acknowledged) >= wanted or any(each.done() for each in self._running),
            seconds=SETTLED_SECONDS,
        )

    def end(self) -> None:
        """Raises what a writer raised."""
        self._is_over.set()
        self._pool.shutdown()
        for each in self._running:
            each.result()

    def _write(self, number: int) -> None:
        own, shared = self._cells[number], self._cells[-1]
        versions = {own: 0, shared: 0}
        written = 0
        with self._service.client() as client:
            while not self._is_over.is_set():
                written += 1
                cell = (own, shared)[written % 2]
                score = f"{number}.{written % 99 + 1:02}"
                try:
                    stored = client.patch(
                        f"/v1/grades/{cell}", json={"score": score}, headers={"If-Match": f'"{versions[cell]}"'}
                    )
                    if stored.status_code == 412:
                        versions[cell] = client.get(f"/v1/grades/{cell}").json()["version"]
                        continue
                except httpx2.TransportError:
                    # Not acknowledged: it may be stored, which the next answer tells.
                    self._is_over.wait(0.05)
                    continue
                if stored.status_code != 503:
                    assert stored.status_code in (200, 201), stored.text
                    versions[cell] = stored.json()["grade"]["version"]
                    self.acknowledged.append(Acknowledged(cell, versions[cell], Decimal(score)))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[GradingService]:
    made = GradingService(tmp_path / "data")
    try:
        yield made
    finally:
        made.kill()


def test_no_acknowledged_grade_is_lost_or_overwritten_unseen(service: GradingService) -> None:
    with service.client() as client:
        cells = make_cells(client)
    writers = Writers(service, cells)
    try:
        for _ in range(KILLS):
            writers.await_more(WRITES_BETWEEN_KILLS)
            service.kill()
            service.start()
        writers.await_more(WRITES_BETWEEN_KILLS)
    finally:
        writers.end()

    with service.client() as client:
        histories = {cell: history(client, cell) for cell in cells}
    for found in histories.values():
        assert [version for version, _ in found] == list(range(1, len(found) + 1))
    assert len(writers.acknowledged) > KILLS * WRITES_BETWEEN_KILLS
    lost = [each for each in writers.acknowledged if (each.version, each.score) not in histories[each.grade]]
    assert lost == []
    assert len({(each.grade, each.version) for each in writers.acknowledged}) == len(writers.acknowledged)


def make_cells(client: httpx2.Client) -> list[str]:
    """One for each writer, and one for all."""
    categories = [{"title": "Homework", "kind": "homework", "weight": "100"}]
    course = post(client, "/v1/courses", code="crashes", title="Crashes", categories=categories)
    assignment = post(
        client,
        "/v1/courses/crashes/assignments",
        title="One",
        category=(course.get("course") or course)["categories"][0]["id"],
        points="10",
    )
    students = [
        post(client, "/v1/courses/crashes/students", name=f"Student {number}", username=f"student-{number}")
        for number in range(WRITERS + 1)
    ]
    return [f"{each['id']}-{assignment['id']}" for each in students]


def post(client: httpx2.Client, path: str, **members: Any) -> dict[str, Any]:
    answer = client.post(path, json=members)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def history(client: httpx2.Client, cell: str) -> list[tuple[int, Decimal]]:
    """The versions and scores of a grade, from the first."""
    student, assignment = cell.split("-")
    answer = client.get(f"/v1/courses/crashes/students/{student}/grades/{assignment}/history")
    assert answer.status_code == 200, answer.text
    changes = answer.json()["changes"]
    return sorted((each["version"], Decimal(each["after"]["score"])) for each in changes)
