"""Carry over teachers, excused grades and kinds of assignments, and store the totals."""

from collections import defaultdict
from typing import Any

from django.db import migrations
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from grading import scoring


def carry_over(apps: Any, schema_editor: Any) -> None:
    model = {name: apps.get_model("grading", name) for name in ("Teacher", "Enrollment", "Grade", "GradeChange")}
    model["Enrollment"].objects.bulk_create(
        model["Enrollment"](
            course_id=teacher.course_id, role="teacher", username=teacher.username, enrolled_at=timezone.now()
        )
        for teacher in model["Teacher"].objects.all()
    )
    model["Grade"].objects.filter(excused=True).update(status="excused")
    for when in ("before", "after"):
        model["GradeChange"].objects.filter(**{f"excused_{when}": True}).update(**{f"status_{when}": "excused"})
    kinds = apps.get_model("grading", "Category").objects.filter(pk=OuterRef("category_id")).values("kind")
    apps.get_model("grading", "Assignment").objects.update(kind=Subquery(kinds))
    for course in apps.get_model("grading", "Course").objects.all():
        _store_totals(apps, course)


def _store_totals(apps: Any, course: Any) -> None:
    assignments = defaultdict(list)
    for assignment in apps.get_model("grading", "Assignment").objects.filter(category__course=course):
        assignments[assignment.category_id].append(assignment)
    grades: dict[int, dict[int, Any]] = defaultdict(dict)
    for grade in apps.get_model("grading", "Grade").objects.filter(assignment__category__course=course):
        grades[grade.student_id][grade.assignment_id] = grade
    categories = list(apps.get_model("grading", "Category").objects.filter(course=course))
    enrollments = list(apps.get_model("grading", "Enrollment").objects.filter(course=course, role="student"))
    for enrollment in enrollments:
        own = grades[enrollment.student_id]
        scored = [
            scoring.Category(
                id=category.pk,
                items=tuple(_item(assignment, own.get(assignment.pk)) for assignment in assignments[category.pk]),
                weight=category.weight,
                drop_lowest=category.drop_lowest,
                drop_highest=category.drop_highest,
            )
            for category in categories
        ]
        weighted = course.scheme == "weighted"
        current, final = (total(scored, weighted=weighted).percent for total in (scoring.current, scoring.final))
        enrollment.current_percent = enrollment.unposted_current_percent = _text(current)
        enrollment.final_percent = enrollment.unposted_final_percent = _text(final)
    fields = ["current_percent", "final_percent", "unposted_current_percent", "unposted_final_percent"]
    apps.get_model("grading", "Enrollment").objects.bulk_update(enrollments, fields, batch_size=500)


def _text(percent: Any) -> str | None:
    return None if percent is None else f"{percent:f}"


def _item(assignment: Any, grade: Any) -> scoring.Item:
    return scoring.Item(
        id=assignment.pk,
        points=assignment.points,
        score=grade.score if grade else None,
        excused=grade.status == "excused" if grade else False,
        published=assignment.published,
        extra_credit=assignment.extra_credit,
        omit_from_final=assignment.omit_from_final,
        never_drop=assignment.never_drop,
    )


class Migration(migrations.Migration):
    dependencies = [("grading", "0002_terms_roles_and_batches")]

    operations = [migrations.RunPython(carry_over, migrations.RunPython.noop)]
