"""The API's addresses."""

from django.urls import path

from grading.api import views

_COURSE = "courses/<slug:code>"
_STUDENT = f"{_COURSE}/students/<int:student_id>"
_GRADE = f"{_STUDENT}/grades/<int:assignment_id>"

urlpatterns = [
    path("courses", views.Courses.as_view()),
    path(_COURSE, views.Course.as_view()),
    path(f"{_COURSE}/students", views.Students.as_view()),
    path(f"{_COURSE}/assignments", views.Assignments.as_view()),
    path(f"{_COURSE}/gradebook", views.Gradebook.as_view()),
    path(_STUDENT, views.Student.as_view()),
    path(_GRADE, views.Grade.as_view()),
    path(f"{_GRADE}/history", views.History.as_view()),
]
