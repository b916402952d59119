"""Maintenance in the admin: every one that holds, also of what is not registered now."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.decorators import display

from registry.admin import cells
from registry.admin.asking import MOST_TARGETS
from registry.admin.operations import PERMISSION
from registry.admin.records import RecordAdmin
from registry.models import InstanceKey, Maintenance


@admin.register(Maintenance)
class MaintenanceAdmin(RecordAdmin):
    list_display = ["service", "of", "why", "by", "begun", "ends"]
    fields = ["service", "of", "why", "by", "begun", "ends"]
    search_fields = ["service", "instance", "reason", "author"]
    actions = ["end", "export_csv"]

    @display(description="instance", ordering="instance")
    def of(self, maintenance: Maintenance) -> str:
        return maintenance.instance or "all, also future ones"

    @display(description="reason")
    def why(self, maintenance: Maintenance) -> str:
        return cells.text(cells.visible(maintenance.reason))

    @display(description="author", ordering="author")
    def by(self, maintenance: Maintenance) -> str:
        return cells.visible(maintenance.author)

    @display(description="since", ordering="since")
    def begun(self, maintenance: Maintenance) -> str:
        return cells.when(maintenance.since)

    @display(description="until", ordering="until")
    def ends(self, maintenance: Maintenance) -> str:
        return cells.when(maintenance.until) if maintenance.until else "somebody ends it"

    @admin.action(description="End maintenance ...", permissions=["operate"])
    def end(self, request: HttpRequest, chosen: QuerySet[Maintenance]) -> HttpResponse:
        targets = [InstanceKey(service=each.service, instance=each.instance) for each in chosen[:MOST_TARGETS]]
        return redirect(cells.operation_url("end-maintenance", targets))

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(PERMISSION)
