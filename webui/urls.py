"""The web UI's addresses."""

from django.urls import include, path

from config.admin import site as admin_site
from webui.views import alerts, home, logs, operations, public, services, signing, status

urlpatterns = [
    path("", home.show_home, name="home"),
    path("sign-in", signing.SignIn.as_view(), name="sign-in"),
    path("sign-out", signing.SignOut.as_view(), name="sign-out"),
    path("change-password", signing.ChangePassword.as_view(), name="change-password"),
    path("theme", signing.choose_theme, name="theme"),
    path("status", status.show_status, name="status"),
    path("graph", services.show_graph, name="graph"),
    path("services/<str:service>", services.show_service, name="service"),
    path("services/<str:service>/panels/<slug:panel>", services.show_panel, name="service-panel"),
    path("services/<str:service>/instances/<str:instance>", operations.show_instance, name="service-instance"),
    path(
        "services/<str:service>/instances/<str:instance>/<slug:operation>", operations.operate, name="service-operation"
    ),
    path("logs", logs.show_logs, name="logs"),
    path("logs/panels/<slug:panel>", logs.show_panel, name="log-panel"),
    path("logs/completions", logs.complete, name="log-completions"),
    path("logs/tail", logs.tail, name="log-tail"),
    path("logs/arrivals", logs.show_arrivals, name="log-arrivals"),
    path("logs/<int:identifier>", logs.show_record, name="log"),
    path("logs/searches", logs.save_search, name="log-search-save"),
    path("logs/searches/<int:number>/delete", logs.delete_search, name="log-search-delete"),
    path("alerts", alerts.show_alerts, name="alerts"),
    path("alerts/channels/new", alerts.edit_channel, name="alert-channel-new"),
    path("alerts/channels/<int:number>", alerts.edit_channel, name="alert-channel"),
    path("alerts/channels/<int:number>/delete", alerts.delete_channel, name="alert-channel-delete"),
    path("alerts/channels/<int:number>/try", alerts.try_channel, name="alert-channel-try"),
    path("public", public.show_public, name="public"),
    path("public/feed", public.PublicFeed(), name="public-feed"),
    path("public/settings", public.edit_public, name="public-settings"),
    path("badges/<str:service>.svg", public.show_badge, name="badge"),
    path("", include("webui.urls_grades")),
    path("admin/", include(admin_site.urls())),
    path("rollcall/", include("registry.client.django.urls")),
]

handler400 = "webui.views.errors.answer_bad_request"
handler403 = "webui.views.errors.answer_forbidden"
handler404 = "webui.views.errors.answer_not_found"
handler500 = "webui.views.errors.answer_server_error"
