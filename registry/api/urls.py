"""The addresses under /v1/."""

from django.urls import path

from registry.api import batch, knowing, openapi, reads, telling, views

urlpatterns = [
    path("services", reads.ServicesView.as_view()),
    path("services/<str:service>", reads.ServiceView.as_view()),
    path("services/<str:service>/instances", reads.InstancesView.as_view()),
    path("services/<str:service>/instances/<str:instance>", views.InstanceView.as_view()),
    path("services/<str:service>/instances/<str:instance>/heartbeat", views.HeartbeatView.as_view()),
    path("services/<str:service>/instances/<str:instance>/maintenance", views.MaintenanceView.as_view()),
    path("services/<str:service>/instances/<str:instance>/drain", views.DrainView.as_view()),
    path("services/<str:service>/instances/<str:instance>/deliveries", telling.DeliveriesView.as_view()),
    path("services/<str:service>/instances/<str:instance>/replay", telling.ReplayView.as_view()),
    path("services/<str:service>/instances/<str:instance>/resync", telling.ResyncView.as_view()),
    path("services/<str:service>/instances/<str:instance>/trial", telling.TrialView.as_view()),
    path("services/<str:service>/instances/<str:instance>/history", knowing.HistoryView.as_view()),
    path("services/<str:service>/history", knowing.HistoryView.as_view()),
    path("registrations:batch", batch.BatchView.as_view()),
    path("resync", telling.ResyncView.as_view()),
    path("services/<str:service>/maintenance", views.MaintenanceView.as_view()),
    path("instances/<str:service>/<str:instance>/providers", reads.ProvidersView.as_view()),
    path("graph", knowing.GraphView.as_view()),
    path("protection", knowing.ProtectionView.as_view()),
    path("prometheus/targets", reads.TargetsView.as_view()),
    path("openapi.json", openapi.DescriptionView.as_view()),
    path("journal", reads.JournalView.as_view()),
]
