"""Pages of a course of 200 students and 30 assignments: how long the web UI's server takes, grading included.

Real servers, as `make up` runs them, on SQLite; the registry and the log service are stand-ins that only tell where
grading is. Figures are of one reader after another, in milliseconds and as shares of what is promised; `cpu` is what
the servers took of the processor.

    .venv/bin/python -m bench.bench_webui_gradebook
"""

import os
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import django
import httpx2

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
django.setup()

from tests.browser.serving import PASSWORD, served_webui  # noqa: E402 -- they import models
from tests.webui.faked.world import World  # noqa: E402 -- as above

STUDENTS, ASSIGNMENTS, ROUNDS = 200, 30, 12
GRADEBOOK_MS, PAGE_MS = 150.0, 40.0


def main() -> None:
    world = World()
    with tempfile.TemporaryDirectory() as directory, served_webui(world, Path(directory)) as served:
        grading = world.grading
        course = grading.make_course(students=STUDENTS, assignments=ASSIGNMENTS)
        # Asked directly, not through the thread that tests put in between.
        world.registry.urls["grading"] = grading.url
        world.registry.become("grading", "passing")
        cells = [(student, work) for student in range(STUDENTS) for work in range(ASSIGNMENTS)]
        grading.put_all([(student, work, str((student + work) % 11)) for student, work in cells])
        with closing(signed_in(served.url)) as client:
            addresses = {
                "gradebook 200 x 30": (course, GRADEBOOK_MS),
                "gradebook, one category, one name": (f"{course}?q=student+1&work=missing", GRADEBOOK_MS),
                "courses": ("/courses", PAGE_MS),
                "student": (f"{course}/students/{grading.students[0]}", PAGE_MS),
                "one grade": (f"{course}/cells/{grading.cell()[1:]}", PAGE_MS),
                "set-up": (f"{course}/setup", PAGE_MS),
                "students": (f"{course}/people", PAGE_MS),
                "history": (f"{course}/history", PAGE_MS),
                "assignment": (f"{course}/assignments/{grading.assignments[0]}", GRADEBOOK_MS),
            }
            print(f"{'page':36} {'median ms':>10} {'p95 ms':>8} {'of promised':>12} {'cpu ms':>10} {'kB':>7}")
            for name, (address, promised_ms) in addresses.items():
                report(name, lambda address=address: client.get(address), promised_ms)  # type: ignore[misc]  # a default
            report("save one grade", Saver(client, course, grading.cell()[1:]), PAGE_MS)
            print(f"load average {os.getloadavg()[0]:.1f}")


class Saver:
    """Stores another score each time, with the version that the last answer showed."""

    def __init__(self, client: httpx2.Client, course: str, cell: str) -> None:
        self.client, self.course, self.cell = client, course, cell
        self.version, self.score = "1", 0

    def __call__(self) -> httpx2.Response:
        self.score = (self.score + 1) % 10
        form = {"cell": self.cell, "score": f"{self.score}.5", "version": self.version}
        answer = self.client.post(f"{self.course}/cells", data=form, headers={"HX-Request": "true"})
        found = re.search(rf'id="{self.cell}" data-v="(\d+)"', answer.text)
        assert found, answer.text
        self.version = found[1]
        return answer


def servers_seconds() -> float:
    """The processor time of the servers that this process has started; waiting does not count."""
    parents, taken = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(path.parent.name)] = int(fields[1])
        taken[int(path.parent.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    own = {os.getpid()}
    while more := {child for child, parent in parents.items() if parent in own} - own:
        own |= more
    return sum(taken[each] for each in own - {os.getpid()})


def report(name: str, ask: Callable[[], httpx2.Response], promised_ms: float) -> None:
    ask()
    taken_ms = []
    before = servers_seconds()
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        answer = ask()
        taken_ms.append(1000 * (time.perf_counter() - begun))
        assert answer.status_code == 200, (name, answer.status_code)
    processor_ms = 1000 * (servers_seconds() - before) / ROUNDS
    p95 = statistics.quantiles(taken_ms, n=20)[-1]
    size = len(answer.content) / 1000
    share = p95 / promised_ms
    print(f"{name:36} {statistics.median(taken_ms):10.1f} {p95:8.1f} {share:12.0%} {processor_ms:10.1f} {size:7.0f}")


def signed_in(url: str) -> httpx2.Client:
    client = httpx2.Client(base_url=url, trust_env=False, follow_redirects=True, timeout=60)
    client.get("/sign-in")
    form = {"username": "teacher", "password": PASSWORD, "csrfmiddlewaretoken": client.cookies["webui_csrf"]}
    assert client.post("/sign-in", data=form, headers={"Referer": f"{url}/sign-in"}).url.path == "/courses"
    client.headers["X-CSRFToken"] = client.cookies["webui_csrf"]
    return client


if __name__ == "__main__":
    main()
