"""A large file on its way through the web service, Redis and a Celery worker, which is killed amid it."""

import os
import signal
import sqlite3
import time
from contextlib import closing
from typing import Any

import httpx2

from tests.system.running import REQUEST_SECONDS, SETTLED_SECONDS, System
from tests.waiting import until

STUDENTS, ASSIGNMENTS = 400, 20
COURSE = "/v1/courses/imported"


def test_an_import_whose_worker_is_killed_has_stored_nothing_and_is_stored_by_the_next(system: System) -> None:
    headers = {"Authorization": f"Bearer {system.secret('WEBUI_GRADING_TOKEN')}", "Rollcall-Act-For": "teacher"}
    with httpx2.Client(base_url=system.urls["grading"], headers=headers, timeout=REQUEST_SECONDS) as client:
        make_course(client)
        header = ["username", *(f"Work {number}" for number in range(ASSIGNMENTS))]
        rows = [[f"imported{number}", *["7"] * ASSIGNMENTS] for number in range(STUDENTS)]
        address = preview(client, "grades", [header, *rows])
        worker = system.pid("work:grading-worker")
        os.kill(worker, signal.SIGSTOP)
        try:
            answer = client.post(f"{address}:confirm", json={})
            assert (answer.status_code, answer.json()["progress"]) == (202, "queued")
            found = until(lambda: go_on(worker, client, address), seconds=SETTLED_SECONDS)
            assert 0 < found["rows_done"] < found["rows_total"] == STUDENTS * ASSIGNMENTS
            assert found["progress"] == "running"
            assert stored(system, found["id"]) == 0
        finally:
            os.kill(worker, signal.SIGKILL)

        ended = until(
            lambda: is_over(client.get(f"{address}?limit=0").json()), seconds=SETTLED_SECONDS, explain=system.explain
        )
        assert (ended["progress"], ended["starts"], ended["outcome"]["refused"]) == ("done", 2, [])
        assert ended["outcome"]["stored"] == stored(system, ended["id"]) == STUDENTS * ASSIGNMENTS


def make_course(client: httpx2.Client) -> None:
    body = {"code": "imported", "title": "Imported", "categories": [{"title": "Homework", "kind": "homework"}]}
    made = client.post("/v1/courses", json=body)
    assert made.status_code == 201, made.text
    for number in range(ASSIGNMENTS):
        work = {"title": f"Work {number}", "category": made.json()["categories"][0]["id"], "points": "10"}
        assert client.post(f"{COURSE}/assignments", json=work).status_code == 201
    roster = preview(client, "roster", [["username"], *([f"imported{number}"] for number in range(STUDENTS))])
    assert client.post(f"{roster}:confirm", json={}).json()["outcome"]["stored"] == STUDENTS


def preview(client: httpx2.Client, content: str, table: list[list[str]]) -> str:
    """The import's address."""
    file = "\n".join(",".join(row) for row in table)
    answer = client.post(
        f"{COURSE}/imports?content={content}", content=file.encode(), headers={"Content-Type": "text/csv"}
    )
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


def go_on(worker: int, client: httpx2.Client, address: str) -> dict[str, Any]:
    """Let the worker go on for a moment; what it has then told, once this is of rows that it has done.

    It tells by the clock, and so after few rows also where the machine is quick.
    """
    os.kill(worker, signal.SIGCONT)
    time.sleep(0.005)
    os.kill(worker, signal.SIGSTOP)
    found: dict[str, Any] = client.get(f"{address}?limit=0").json()
    return found if found["rows_done"] else {}


def is_over(found: dict[str, Any]) -> dict[str, Any]:
    return found if found["progress"] in ("done", "failed") else {}


def stored(system: System, batch_id: int) -> int:
    with closing(sqlite3.connect(system.data_dir / "grading.sqlite3")) as database:
        rows = database.execute("SELECT COUNT(*) FROM grading_gradechange WHERE batch_id = ?", (batch_id,))
        return int(rows.fetchone()[0])
