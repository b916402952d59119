"""A university: 1,000 courses of 200 students and 30 assignments, and whether anything reads more than its own course.

Rows are made with plain SQL in a temporary SQLite file. Each address and each page of the admin is asked for as it is
with one course and as it is with all; every statement is then explained, and one that scans a table which grows with
the university is named.

    .venv/bin/python -m bench.bench_grades_scale [COURSES]
"""

import json
import logging
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

STUDENTS_EACH, ASSIGNMENTS_EACH, CALLS = 200, 30, 7
STUDENTS_ALL_PER_COURSE = 25
# Tables that grow with the university; the others have a row for a course or fewer.
LARGE = ("grading_grade", "grading_gradechange", "grading_enrollment", "grading_student", "grading_assignment")

FILL = """
PRAGMA synchronous = OFF;
PRAGMA cache_size = -1000000;
CREATE TEMPORARY TABLE IF NOT EXISTS number AS
  WITH RECURSIVE upto(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM upto WHERE n < 100000) SELECT n FROM upto;
INSERT OR IGNORE INTO grading_student (id, name, username, sis_id)
  SELECT n, 'Student ' || (n * 7919 % 100003), 's' || n, 'S' || n FROM number WHERE n BETWEEN 1 AND {everybody};
INSERT INTO grading_course (id, code, title, scheme)
  SELECT n, 'course-' || n, 'Course ' || n, 'weighted' FROM number WHERE n BETWEEN {first} AND {last};
INSERT INTO grading_category (id, course_id, kind, title, weight, drop_lowest, drop_highest, position)
  SELECT course.id * 3 + n, course.id, 'homework', 'Category ' || n, 33, 1, 0, 0
  FROM grading_course course, number WHERE course.id BETWEEN {first} AND {last} AND n < 3;
INSERT INTO grading_assignment (id, category_id, kind, title, points, published, posted, extra_credit, omit_from_final,
    never_drop, position)
  SELECT course.id * {works} + n, course.id * 3 + n % 3, 'homework', 'Work ' || n, 10, 1, 1, 0, 0, 0, n
  FROM grading_course course, number WHERE course.id BETWEEN {first} AND {last} AND n < {works};
INSERT INTO grading_enrollment (course_id, role, state, username, enrolled_at)
  SELECT id, 'teacher', 'active', 'teacher' || (id % 300), '{now}' FROM grading_course
  WHERE id BETWEEN {first} AND {last};
INSERT OR IGNORE INTO grading_enrollment (course_id, role, state, username, student_id, enrolled_at, current_percent,
    final_percent, unposted_current_percent, unposted_final_percent)
  SELECT course.id, 'student', 'active', '', (course.id * 37 + n * 13) % {everybody} + 1, '{now}', '80.00', '80.00',
    '80.00', '80.00'
  FROM grading_course course, number WHERE course.id BETWEEN {first} AND {last} AND n < {students};
INSERT INTO grading_grade (student_id, assignment_id, score, status, late_deduction, comment, version, updated_at,
    updated_by)
  SELECT e.student_id, a.id, (e.student_id + a.id) % 11, 'none', 0, '', 1, '{now}', 'teacher'
  FROM grading_enrollment e JOIN grading_category c ON c.course_id = e.course_id
  JOIN grading_assignment a ON a.category_id = c.id
  WHERE e.role = 'student' AND e.course_id BETWEEN {first} AND {last};
INSERT INTO grading_gradechange (grade_id, version, at, author, source, via, score_after, status_before, status_after,
    late_deduction_before, late_deduction_after, comment_before, comment_after)
  SELECT id, 1, '{now}', 'teacher', 'single', '', score, 'none', 'none', 0, 0, '', '' FROM grading_grade
  WHERE assignment_id BETWEEN {first} * {works} AND {last} * {works} + {works} - 1;
ANALYZE
"""


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.grading"
    with tempfile.TemporaryDirectory(prefix="rollcall-bench-") as directory:
        os.environ["ROLLCALL_DATA_DIR"] = directory
        os.environ["GRADING_DATABASE_URL"] = f"sqlite:///{directory}/grading.sqlite3"
        import django

        django.setup()
        from django.conf import settings
        from django.core.management import call_command

        settings.ALLOWED_HOSTS = ["testserver"]
        # Nothing here joins a registry, and no log is asked for.
        settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "JoiningMiddleware" not in each]
        logging.disable(logging.CRITICAL)
        call_command("migrate", verbosity=0)
        fill(1, 2)
        small = measure()
        began = time.perf_counter()
        fill(2, count + 1)
        print(f"{count:,} courses made in {time.perf_counter() - began:.0f} s; {size(directory):,.0f} MB; {counts()}")
        large = measure()
        print(f"load average {os.getloadavg()[0]:.1f}")
    print(f"{'':58} {'one course':>10} {count:>9,} courses")
    for name, (milliseconds, _) in large.items():
        before = small[name][0]
        print(f"{name:58} {before:>7.1f} ms {milliseconds:>9.1f} ms  ({milliseconds / before:.1f})")
    scans = sorted({f"{name}: {scan}" for name, (_, found) in large.items() for scan in found})
    print("\n".join(["Scanned:", *scans]) if scans else "No statement scans a table that grows with the university.")


def fill(first: int, last: int) -> None:
    """Courses of these numbers, whole: who is in them, what is graded, every grade and its change, and the totals."""
    from django.db import connection

    everybody = max((last - 1) * STUDENTS_ALL_PER_COURSE, STUDENTS_EACH)
    numbers = {"first": first, "last": last - 1, "students": STUDENTS_EACH, "works": ASSIGNMENTS_EACH}
    with connection.cursor() as cursor:
        for statement in FILL.format(everybody=everybody, now="2026-11-29 12:00:00", **numbers).split(";"):
            cursor.execute(statement)


def measure() -> dict[str, tuple[float, set[str]]]:
    """Milliseconds of the processor, the median of a few calls, and the scans, by address."""
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from config.tokens import issuing
    from config.tokens.models import Token

    Token.objects.all().delete()
    token = issuing.create(name="webui", scopes=["read", "write", "act-for"])
    teacher = Client(headers={"Authorization": f"Bearer {token}", "Rollcall-Act-For": "teacher1"})
    registrar, _ = User.objects.get_or_create(username="registrar", is_staff=True, is_superuser=True)
    admin = Client()
    admin.force_login(registrar)
    with connection.cursor() as cursor:
        cursor.execute("SELECT student_id FROM grading_enrollment WHERE course_id = 1 AND role = 'student' LIMIT 1")
        student = cursor.fetchone()[0]
    version = [1]

    def change() -> Any:
        headers = {"If-Match": f'"{version[0]}"'}
        answer = teacher.patch(
            f"/v1/grades/{student}-30", json.dumps({"score": str(version[0] % 9)}), "application/json", headers=headers
        )
        version[0] += answer.status_code == 200
        if answer.status_code == 412:
            version[0] = answer.json()["theirs"]["version"]
        return answer

    course = "/v1/courses/course-1"
    pages: dict[str, Callable[[], Any]] = {"PATCH a grade": change}
    for path in (
        "/v1/courses",
        course,
        f"{course}/gradebook",
        f"{course}/students",
        f"{course}/students/{student}",
        f"{course}/enrollments",
        f"{course}/assignments/30/grades",
        f"{course}/assignments/30/statistics",
        f"{course}/changes",
        f"{course}/batches",
        f"{course}/export/canvas.csv",
        "/v1/students",
        "/v1/students?q=student+5",
        f"/v1/students/{student}",
        f"/v1/students/{student}/report?course=course-1",
        f"/v1/grades/{student}-30/full",
    ):
        pages[path] = lambda path=path: teacher.get(path)  # type: ignore[misc]  # a default
    for name in ("", "course/", "course/1/change/", "enrollment/", "student/", "gradechange/", "importbatch/", "term/"):
        path = f"/admin/grading/{name}"
        pages[path] = lambda path=path: admin.get(path)  # type: ignore[misc]  # a default
    found = {}
    for name, ask in pages.items():
        ask()
        with CaptureQueriesContext(connection) as captured:
            answer = ask()
        assert answer.status_code in (200, 201), (name, answer.status_code, answer.content[:300])
        scans = {scan for each in captured for scan in scanned(each["sql"])}
        taken = []
        for _ in range(CALLS):
            began = time.process_time()
            ask()
            taken.append(1000 * (time.process_time() - began))
        found[name] = statistics.median(taken), scans
    return found


def scanned(sql: str) -> set[str]:
    """The large tables that a statement reads whole."""
    from django.db import connection

    if not sql.startswith("SELECT"):
        return set()
    with connection.cursor() as cursor:
        try:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        except Exception:
            return set()
        plans = [row[3] for row in cursor.fetchall()]
    names = {name: name for name in LARGE}
    names |= {alias: table for table, alias in re.findall(r'"(grading_\w+)" (\w+)', sql)}
    is_page = re.search(r"LIMIT \d+\)?\s*", sql) and not any("TEMP B-TREE FOR ORDER" in plan for plan in plans)
    return {
        f"{plan} [{sql[:60]}...]"
        for plan in plans
        # A scan in the order of an index stops at the end of the page.
        if plan.startswith("SCAN ") and names.get(plan.split()[1], "") in LARGE and not is_page
    }


def counts() -> str:
    from django.db import connection

    found = []
    with connection.cursor() as cursor:
        for table in LARGE:
            cursor.execute(f"SELECT COUNT(*) FROM {table}")
            found.append(f"{cursor.fetchone()[0]:,} {table.removeprefix('grading_')}s")
    return ", ".join(found)


def size(directory: str) -> float:
    return os.path.getsize(f"{directory}/grading.sqlite3") / 1e6


if __name__ == "__main__":
    main()
