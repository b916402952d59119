"""The addresses of courses and grades."""

from django.urls import path

from webui.views import courses, grades

_STUDENT = "courses/<slug:code>/students/<int:student_id>"

urlpatterns = [
    path("courses", courses.list_courses, name="courses"),
    path("courses/<slug:code>", courses.show_course, name="course"),
    path(_STUDENT, grades.show_student, name="student"),
    path(f"{_STUDENT}/grades/<int:assignment_id>", grades.enter_grade, name="grade"),
]
