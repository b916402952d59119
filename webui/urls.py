"""The web UI's addresses."""

from django.urls import include, path

from webui.views import courses, grades, home, logs, signing, status

_STUDENT = "courses/<slug:code>/students/<int:student_id>"

urlpatterns = [
    path("", home.show_home, name="home"),
    path("sign-in", signing.SignIn.as_view(), name="sign-in"),
    path("sign-out", signing.SignOut.as_view(), name="sign-out"),
    path("courses", courses.list_courses, name="courses"),
    path("courses/<slug:code>", courses.show_course, name="course"),
    path(_STUDENT, grades.show_student, name="student"),
    path(f"{_STUDENT}/grades/<int:assignment_id>", grades.enter_grade, name="grade"),
    path("status", status.show_status, name="status"),
    path("logs", logs.show_logs, name="logs"),
    path("rollcall/", include("registry.client.django.urls")),
]

handler400 = "webui.views.errors.answer_bad_request"
handler403 = "webui.views.errors.answer_forbidden"
handler404 = "webui.views.errors.answer_not_found"
handler500 = "webui.views.errors.answer_server_error"
