"""The web UI's addresses."""

from django.urls import include, path

from webui.views import home, logs, operations, services, signing, status

urlpatterns = [
    path("", home.show_home, name="home"),
    path("sign-in", signing.SignIn.as_view(), name="sign-in"),
    path("sign-out", signing.SignOut.as_view(), name="sign-out"),
    path("change-password", signing.ChangePassword.as_view(), name="change-password"),
    path("status", status.show_status, name="status"),
    path("graph", services.show_graph, name="graph"),
    path("services/<str:service>", services.show_service, name="service"),
    path("services/<str:service>/panels/<slug:panel>", services.show_panel, name="service-panel"),
    path("services/<str:service>/instances/<str:instance>", operations.show_instance, name="service-instance"),
    path(
        "services/<str:service>/instances/<str:instance>/<slug:operation>", operations.operate, name="service-operation"
    ),
    path("logs", logs.show_logs, name="logs"),
    path("", include("webui.urls_grades")),
    path("rollcall/", include("registry.client.django.urls")),
]

handler400 = "webui.views.errors.answer_bad_request"
handler403 = "webui.views.errors.answer_forbidden"
handler404 = "webui.views.errors.answer_not_found"
handler500 = "webui.views.errors.answer_server_error"
