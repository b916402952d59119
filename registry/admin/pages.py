"""The services in the admin: all of them, and one with its instances, what it requires and who requires it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.generic import TemplateView
from unfold.views import UnfoldModelAdminViewMixin

from registry.admin import cells, panels
from registry.errors import UnknownService
from registry.instances import catalogue, standing
from registry.instances.dependencies import Findings, State
from registry.instances.standing import Standing
from registry.wire.bodies import age

SERVICES_PER_PAGE = 50
INSTANCES_PER_PAGE = 100
HEADERS = ["Service", "State", "For", "Instances", "Requires", "Required by", "Why"]
# The filters of the list beside the states themselves.
DOWN, UNMET = "down", "unmet"


class ServicesView(UnfoldModelAdminViewMixin, TemplateView):
    title = "Services"
    permission_required = "registry.view_instance"
    template_name = "registry/admin/services.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        now = timezone.now()
        standings, findings = standing.standings()
        asked, state = (self.request.GET.get(name, "").strip() for name in ("q", "state"))
        found = [each for each in standings if asked in each.summary.service and _is_shown(each, state, findings)]
        page = Paginator(found, SERVICES_PER_PAGE).get_page(self.request.GET.get("page"))
        names = ["", DOWN, UNMET, *(str(each) for each in State)]
        counted = [(name, sum(_is_shown(each, name, findings) for each in standings)) for name in names]
        words = {"": "all", DOWN: "not offered", UNMET: "unmet requirements"}
        return super().get_context_data(
            **kwargs,
            **panels.protection(self.request, now=now),
            table=_table(list(page.object_list), findings, now=now),
            page=page,
            asked=asked,
            state=state,
            filters=[(name, words.get(name, name), count) for name, count in counted if count or name in words],
        )


class ServiceView(UnfoldModelAdminViewMixin, TemplateView):
    permission_required = "registry.view_instance"
    template_name = "registry/admin/service.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        service = kwargs["service"]
        self.title = f"Service {service}"
        standings, _ = standing.standings()
        found = next((each for each in standings if each.summary.service == service), None)
        if found is None:
            raise Http404(UnknownService(service).detail)
        instances = catalogue.instances(service, limit=INSTANCES_PER_PAGE)
        now = timezone.now()
        return super().get_context_data(
            **kwargs,
            **panels.protection(self.request, now=now),
            **panels.of_service(self.request, found, instances, now=now),
            more=sum(found.summary.counts.values()) - len(instances),
        )


def _is_shown(each: Standing, state: str, findings: Findings) -> bool:
    if state == DOWN:
        return not each.state.is_offered
    if state == UNMET:
        return each.summary.service in findings.unmet
    return not state or each.state == state


def _table(standings: Sequence[Standing], findings: Findings, *, now: datetime) -> SafeString:
    down = set(findings.down)
    rows = [
        [
            cells.service_link(each.summary.service),
            cells.state(each.state),
            age(each.since, now=now) if each.since else "",
            cells.statuses(each.summary.counts) if each.summary.counts else "",
            _linked(each.summary.requires, down),
            _linked(each.summary.required_by, down),
            cells.visible(each.reason),
        ]
        for each in standings
    ]
    return cells.table(HEADERS, rows)


def _linked(services: set[str], down: set[str]) -> str:
    return cells.joined(cells.service_link(each, is_down=each in down) for each in sorted(services)) if services else ""
