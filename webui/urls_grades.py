"""The addresses of courses and grades."""

from django.urls import path

from webui.views import assignments, cells, courses, gradebook, grades, history, imports, setup, students

_COURSE = "courses/<slug:code>"
_STUDENT = f"{_COURSE}/students/<int:student_id>"
_ASSIGNMENT = f"{_COURSE}/assignments/<int:assignment_id>"

urlpatterns = [
    path("courses", courses.list_courses, name="courses"),
    path("courses/+new", setup.create_course, name="courses-new"),
    path(_COURSE, gradebook.show_gradebook, name="course"),
    path(f"{_COURSE}/pulse", gradebook.show_pulse, name="course-pulse"),
    path(f"{_COURSE}/cells", cells.save_cells, name="course-cells"),
    path(f"{_COURSE}/cells/<slug:place>", grades.show_grade, name="course-cell"),
    path(f"{_COURSE}/undo", cells.undo, name="course-undo"),
    path(f"{_COURSE}/history", history.show_history, name="course-history"),
    path(f"{_COURSE}/setup", setup.show_setup, name="course-setup"),
    path(f"{_COURSE}/setup/course", setup.change_course, name="course-change"),
    path(f"{_COURSE}/setup/<slug:kind>/new", setup.create_thing, name="course-new"),
    path(f"{_COURSE}/setup/<slug:kind>/<int:key>", setup.change_thing, name="course-edit"),
    path(f"{_COURSE}/assignments/new", setup.create_thing, {"kind": "assignments"}, name="assignment-new"),
    path(f"{_COURSE}/people", setup.show_people, name="course-students"),
    path(_ASSIGNMENT, assignments.show_assignment, name="assignment"),
    path(f"{_ASSIGNMENT}/ungraded", assignments.set_ungraded, name="assignment-set"),
    path(_STUDENT, students.show_student, name="student"),
    path(f"{_STUDENT}/what-if", students.suppose, name="student-what-if"),
    path(f"{_STUDENT}/report.pdf", imports.show_report, name="student-report"),
    path(f"{_COURSE}/files", imports.show_files, name="course-files"),
    path(f"{_COURSE}/files/<int:key>", imports.show_import, name="import"),
    path(f"{_COURSE}/files/<int:key>/change", imports.change_import, name="import-change"),
    path(f"{_COURSE}/export/<str:name>", imports.export, name="course-export"),
]
