"""Pages of a course of 200 students and 30 assignments: how long the web UI's server takes, grading included.

Real servers, as `make up` runs them, on SQLite; the registry and the log service are stand-ins that only tell where
grading is. Figures are of one reader after another, in milliseconds and as shares of what is promised; CPU is what the
servers took of the processor.

    .venv/bin/python -m bench.bench_webui_gradebook
"""

import os
import re
import tempfile
from contextlib import closing
from functools import partial
from pathlib import Path

import django
import httpx2

from bench import pages

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
django.setup()

from tests.browser.serving import PASSWORD, served_webui  # noqa: E402 -- they import models
from tests.webui.faked.world import World  # noqa: E402 -- as above

STUDENTS, ASSIGNMENTS = 200, 30
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
        with closing(pages.signed_in(served.url, "teacher", PASSWORD)) as client:
            addresses = {
                "gradebook 200 x 30": (course, GRADEBOOK_MS),
                "gradebook, one category, one name": (f"{course}?q=student+1&work=missing", GRADEBOOK_MS),
                "courses": ("/courses", PAGE_MS),
                "student": (f"{course}/students/{grading.students[0]}", PAGE_MS),
                "one grade": (f"{course}/cells/{grading.cell()[1:]}", PAGE_MS),
                "set-up": (f"{course}/setup", PAGE_MS),
                "students": (f"{course}/people", PAGE_MS),
                "history": (f"{course}/history", PAGE_MS),
                "assignment": (f"{course}/assignments/{grading.assignments[0]}", PAGE_MS),
                "import and export": (f"{course}/files", PAGE_MS),
                "what if": (f"{course}/students/{grading.students[0]}/what-if", PAGE_MS),
            }
            pages.print_head(f"{STUDENTS} students, {ASSIGNMENTS} assignments")
            for name, (address, goal_ms) in addresses.items():
                pages.report(name, partial(client.get, address), goal_ms=goal_ms)
            pages.report("save one grade", Saver(client, course, grading.cell()[1:]), goal_ms=PAGE_MS)
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


if __name__ == "__main__":
    main()
