"""The gradebook as its course grows: reading it whole, changing one grade, and a bulk write of every cell.

In this process, through Django's whole request handling on the service's own settings, on SQLite in a temporary
directory or, with `--postgresql`, on a server. Each figure is the median and the 95th percentile of a few calls, beside
that of the smallest course. "Totals of one" is what recalculating one student takes, with all that is read for it.
"""

import gc
import json
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests import postgresql

COURSES = (30, 200, 1000)
ASSIGNMENTS = 30
CALLS = 40
# `--wall` counts the waiting, too, such as for the disk.
CLOCK = time.perf_counter if "--wall" in sys.argv else time.process_time


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.grading"
    with tempfile.TemporaryDirectory(prefix="rollcall-bench-") as directory, database(directory) as url:
        os.environ["ROLLCALL_DATA_DIR"] = directory
        os.environ["GRADING_DATABASE_URL"] = url
        _measure()


@contextmanager
def database(directory: str) -> Iterator[str]:
    if "--postgresql" in sys.argv:
        with postgresql.server() as url:
            yield url
    else:
        yield f"sqlite:///{directory}/grading.sqlite3"


def _measure() -> None:
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    settings.ALLOWED_HOSTS = ["testserver"]
    # Nothing here joins a registry, and no log is asked for.
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "JoiningMiddleware" not in each]
    settings.TOKEN_LIMITS = {}
    logging.disable(logging.CRITICAL)
    call_command("migrate", verbosity=0)
    print(
        "students   gradebook: queries, p50, p95    PATCH: p50, p95       totals of one   bulk write            of all"
    )
    for number in COURSES:
        course = _course(number)
        # As the service does before it answers; what this benchmark holds is none of the service's.
        gc.collect()
        gc.freeze()
        queries = _queries(course["read"])
        bulk = _times(course["bulk"], calls=1, warms_up=False)[0]
        read, change = _times(course["read"]), _times(course["change"])
        one = _times(course["recalculate one"])[0]
        recalculated = _times(course["recalculate"], calls=3)[0]
        print(
            f"{number:>8,}   {queries:>10} {read[0]:>8.1f} {read[1]:>8.1f} ms   {change[0]:>10.1f} {change[1]:>6.1f} ms"
            f"   {one:>10.1f} ms"
            f"   {bulk / 1000:>6.2f} s, {number * ASSIGNMENTS / bulk * 1000:>6,.0f} a second   {recalculated:>7.0f} ms"
        )
    print(f"load average {os.getloadavg()[0]:.1f}")
    connection.close()


def _course(number: int) -> dict[str, Callable[[], Any]]:
    from decimal import Decimal

    from django.test import Client
    from django.utils import timezone

    from config.tokens import issuing
    from grading import courses, totals
    from grading.drafts import AssignmentDraft, CategoryDraft, CourseDraft
    from grading.models import Enrollment, Grade, Kind, Student

    code, now = f"course-{number}", timezone.now()
    categories = tuple(
        CategoryDraft(title=kind.value, kind=kind, weight=Decimal(33), drop_lowest=1)
        for kind in (Kind.HOMEWORK, Kind.TEST, Kind.QUIZ)
    )
    course = courses.create_course(draft=CourseDraft(code=code, title=code, categories=categories), now=now)
    ids = list(course.categories.values_list("pk", flat=True))
    assignments = [
        courses.create_assignment(
            course=course, draft=AssignmentDraft(title=f"Work {each}", category=ids[each % 3], points=Decimal(10))
        ).pk
        for each in range(ASSIGNMENTS)
    ]
    students = Student.objects.bulk_create(
        Student(name=f"Student {each}", username=f"{code}-{each}") for each in range(number)
    )
    Enrollment.objects.bulk_create(
        Enrollment(course=course, role="student", student=each, enrolled_at=now) for each in students
    )
    headers = {"Authorization": f"Bearer {issuing.create(name=code, scopes=['read', 'write'])}"}
    client = Client(headers=headers)

    def bodies(shift: int) -> list[str]:
        """Requests of at most 6,000 grades that write every cell."""
        rows = Grade.objects.filter(assignment__category__course=course).values_list("student", "assignment", "version")
        versions = {(student, assignment): version for student, assignment, version in rows}
        cells = [
            {
                "student": student.pk,
                "assignment": each,
                "version": versions.get((student.pk, each), 0),
                "score": f"{(at + each + shift) % 11}.5",
            }
            for at, student in enumerate(students)
            for each in assignments
        ]
        return [json.dumps({"grades": cells[start : start + 6000]}) for start in range(0, len(cells), 6000)]

    def write(requests: list[str]) -> None:
        for body in requests:
            answer = client.post(f"/v1/courses/{code}/grades:bulk", body, "application/json")
            assert answer.status_code == 200, answer.content[:500]

    address, seen = f"/v1/grades/{students[0].pk}-{assignments[0]}", ['"2"']

    def change() -> None:
        body = json.dumps({"score": str(len(seen) % 9)})
        answer = client.patch(address, body, "application/json", headers={"If-Match": seen[-1]})
        assert answer.status_code == 200, answer.content
        seen.append(answer["ETag"])

    write(bodies(0))
    again = bodies(1)
    return {
        "read": lambda: client.get(f"/v1/courses/{code}/gradebook").content,
        "change": change,
        "bulk": lambda: write(again),
        "recalculate": lambda: totals.differences(course=course),
        "recalculate one": lambda: totals.refresh(course=course, student_ids=[students[0].pk]),
    }


def _times(call: Callable[[], Any], *, calls: int = CALLS, warms_up: bool = True) -> tuple[float, float]:
    """Milliseconds of this process's processor: the median and the 95th percentile. Other load does not count."""
    if warms_up:
        call()
    found = []
    for _ in range(calls):
        started = CLOCK()
        call()
        found.append((CLOCK() - started) * 1000)
    return statistics.median(found), sorted(found)[max(int(len(found) * 0.95) - 1, 0)]


def _queries(call: Callable[[], Any]) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        call()
    return len(captured)


if __name__ == "__main__":
    main()
