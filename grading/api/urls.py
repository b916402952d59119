"""The API's addresses."""

from django.urls import path, register_converter
from django.urls.converters import IntConverter

from grading.api import courses, files, grades, openapi, students


class IdConverter(IntConverter):
    """Every id there can be; a longer number is at no address."""

    regex = "[0-9]{1,18}"


register_converter(IdConverter, "id")

_COURSE = "courses/<slug:code>"
_STUDENT = f"{_COURSE}/students/<id:student_id>"
_GRADE = f"{_STUDENT}/grades/<id:assignment_id>"
_ASSIGNMENT = f"{_COURSE}/assignments/<id:assignment_id>"

plain = [
    path("students", students.Students.as_view()),
    path("students/<id:student_id>", students.Student.as_view()),
    path("students/<id:student_id>/grades", students.Grades.as_view()),
]

urlpatterns = [
    *plain,
    path("students/<id:student_id>/report", students.Report.as_view()),
    path("students/<id:student_id>/explain", students.Explain.as_view()),
    path("students/<id:student_id>/what-if", students.WhatIf.as_view()),
    path("terms", courses.Terms.as_view()),
    path("scales", courses.Scales.as_view()),
    path("courses", courses.Courses.as_view()),
    path(_COURSE, courses.Course.as_view()),
    path(f"{_COURSE}/sections", courses.Sections.as_view()),
    path(f"{_COURSE}/sections/<id:section_id>", courses.Section.as_view()),
    path(f"{_COURSE}/categories", courses.Categories.as_view()),
    path(f"{_COURSE}/categories/<id:category_id>", courses.Category.as_view()),
    path(f"{_COURSE}/assignments", courses.Assignments.as_view()),
    path(_ASSIGNMENT, courses.Assignment.as_view()),
    path(f"{_ASSIGNMENT}/statistics", courses.Statistics.as_view()),
    path(f"{_ASSIGNMENT}/grades", courses.AssignmentInFull.as_view()),
    path(f"{_COURSE}/enrollments", courses.Enrollments.as_view()),
    path(f"{_COURSE}/enrollments/<id:enrollment_id>", courses.Enrollment.as_view()),
    path(f"{_COURSE}/students", courses.Students.as_view()),
    path(_STUDENT, students.InCourse.as_view()),
    path(_GRADE, grades.Grade.as_view()),
    path(f"{_GRADE}/history", grades.History.as_view()),
    path(f"{_COURSE}/gradebook", grades.Gradebook.as_view()),
    path(f"{_COURSE}/grades:bulk", grades.Bulk.as_view()),
    path(f"{_COURSE}/changes", grades.Changes.as_view()),
    path(f"{_COURSE}/changes/<id:change_id>:undo", grades.UndoChange.as_view()),
    path(f"{_COURSE}/batches", grades.Batches.as_view()),
    path(f"{_COURSE}/batches/<id:batch_id>", grades.Batch.as_view()),
    path(f"{_COURSE}/batches/<id:batch_id>:undo", grades.UndoBatch.as_view()),
    path(f"{_COURSE}/imports", files.Imports.as_view()),
    path(f"{_COURSE}/imports/<id:batch_id>", files.Import.as_view()),
    path(f"{_COURSE}/imports/<id:batch_id>:confirm", files.ConfirmImport.as_view()),
    path(f"{_COURSE}/export/canvas.csv", files.Canvas.as_view()),
    path(f"{_COURSE}/export/oneroster.zip", files.OneRoster.as_view()),
    path("students/<id:student_id>/report.pdf", files.ReportDocument.as_view()),
    path("grades/<str:grade_id>", grades.GradeById.as_view()),
    path("grades/<str:grade_id>/full", grades.GradeInFull.as_view()),
    path("grades/<str:grade_id>/history", grades.HistoryById.as_view()),
]
# The description includes itself.
urlpatterns.append(path("openapi.json", openapi.Description.as_view(patterns=urlpatterns)))
