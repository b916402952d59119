"""Prove that what is stored is what is computed."""

from argparse import ArgumentParser
from typing import Any

from django.db import transaction

from config import commands
from grading import proofs, totals
from grading.management import imports
from grading.models import Course


class Command(commands.Reporting):
    help = (
        "Compute every total anew and compare it with the stored one, and every grade with its history. Ends with 1 "
        "where anything differs. Example: recalculate algebra-1 --mend"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("course", nargs="*", help="codes of courses; all, when none is named")
        parser.add_argument("--mend", action="store_true", help="store the totals that were computed")

    def report(self, **options: Any) -> commands.Report:
        codes = options["course"]
        found = [imports.find_course(code) for code in codes] if codes else list(Course.objects.all())
        lines: list[str] = []
        students = grades = 0
        for course in found:
            with transaction.atomic():
                totals.lock(course=course)
                compare = totals.refresh if options["mend"] else totals.differences
                differences = compare(course=course)
                proof = proofs.compare_with_history(course=course)
            students += course.enrollments.filter(role="student").count()
            grades += proof.count
            lines += [
                f"{course.code}, student {each.student_id}: stored {each.stored}, computed {each.computed}"
                for each in differences
            ]
            lines += [f"{course.code}, grade {each}: it is not what its history ends with" for each in proof.differing]
        body = {"courses": len(found), "students": students, "grades": grades, "differences": lines}
        compared = f"Compared {students} students' totals and {grades} grades in {len(found)} courses"
        if not lines:
            return commands.Report(lines=[f"{compared}: all stored as computed."], body=body)
        remedy = "Totals were mended." if options["mend"] else "Run it with --mend to store the totals computed."
        return commands.Report(lines=[*lines, f"{compared}."], body=body, failure=f"{len(lines)} differ. {remedy}")
