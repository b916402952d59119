"""The addresses under /v1/."""

from django.urls import path

from registry.api import batch, insights, instances, openapi, reads, webhooks

urlpatterns = [
    path("services", reads.ServicesView.as_view()),
    path("services/<str:service>", reads.ServiceView.as_view()),
    path("services/<str:service>/instances", reads.InstancesView.as_view()),
    path("services/<str:service>/instances/<str:instance>", instances.InstanceView.as_view()),
    path("services/<str:service>/instances/<str:instance>/heartbeat", instances.HeartbeatView.as_view()),
    path("services/<str:service>/instances/<str:instance>/maintenance", instances.MaintenanceView.as_view()),
    path("services/<str:service>/instances/<str:instance>/drain", instances.DrainView.as_view()),
    path("services/<str:service>/instances/<str:instance>/deliveries", webhooks.DeliveriesView.as_view()),
    path("services/<str:service>/instances/<str:instance>/replay", webhooks.ReplayView.as_view()),
    path("services/<str:service>/instances/<str:instance>/resync", webhooks.ResyncView.as_view()),
    path("services/<str:service>/instances/<str:instance>/trial", webhooks.TrialView.as_view()),
    path("services/<str:service>/instances/<str:instance>/history", insights.HistoryView.as_view()),
    path("services/<str:service>/history", insights.HistoryView.as_view()),
    path("registrations:batch", batch.BatchView.as_view()),
    path("resync", webhooks.ResyncView.as_view()),
    path("services/<str:service>/maintenance", instances.MaintenanceView.as_view()),
    path("instances/<str:service>/<str:instance>/providers", reads.ProvidersView.as_view()),
    path("services/<str:service>/heartbeats", instances.HeartbeatsView.as_view()),
    path("services/<str:service>/instances/<str:instance>/probe", instances.ProbeView.as_view()),
    path("deliveries", webhooks.AllDeliveriesView.as_view()),
    path("board", insights.BoardView.as_view()),
    path("graph", insights.GraphView.as_view()),
    path("protection", insights.ProtectionView.as_view()),
    path("prometheus/targets", reads.TargetsView.as_view()),
    path("openapi.json", openapi.DescriptionView.as_view()),
    path("journal", reads.JournalView.as_view()),
]
