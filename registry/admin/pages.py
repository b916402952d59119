"""The services in the admin: all of them, and one with its instances, what it requires and who requires it."""

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404
from django.utils import timezone
from django.views.generic import TemplateView
from unfold.views import UnfoldModelAdminViewMixin

from registry.admin import cells, panels
from registry.errors import UnknownService
from registry.instances import catalogue
from registry.instances.catalogue import Summary

SERVICES_PER_PAGE = 50
INSTANCES_PER_PAGE = 100
HEADERS = ["Service", "Instances", "Requires", "Required by"]


class ServicesView(UnfoldModelAdminViewMixin, TemplateView):
    title = "Services"
    permission_required = "registry.view_instance"
    template_name = "registry/admin/services.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        summaries, asked = catalogue.summaries(), self.request.GET.get("q", "").strip()
        found = [each for each in summaries if asked in each.service]
        page = Paginator(found, SERVICES_PER_PAGE).get_page(self.request.GET.get("page"))
        down = {each.service for each in summaries if not each.offers}
        return super().get_context_data(
            **kwargs,
            **panels.protection(self.request, now=timezone.now()),
            table={"headers": HEADERS, "rows": [_row(each, down) for each in page]},
            page=page,
            asked=asked,
            troubles=panels.troubles(summaries),
        )


class ServiceView(UnfoldModelAdminViewMixin, TemplateView):
    permission_required = "registry.view_instance"
    template_name = "registry/admin/service.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        service = kwargs["service"]
        self.title = f"Service {service}"
        try:
            summary = catalogue.summary(service)
        except UnknownService as error:
            raise Http404(error.detail) from error
        instances = catalogue.instances(service, limit=INSTANCES_PER_PAGE)
        more = sum(summary.counts.values()) - len(instances)
        now = timezone.now()
        return super().get_context_data(
            **kwargs,
            **panels.protection(self.request, now=now),
            **panels.of_service(self.request, summary, instances, now=now),
            more=more,
        )


def _row(summary: Summary, down: set[str]) -> list[str]:
    return [
        cells.service_link(summary.service, is_down=summary.service in down),
        cells.statuses(summary.counts),
        cells.joined(cells.service_link(each, is_down=each in down) for each in sorted(summary.requires)),
        cells.joined(cells.service_link(each, is_down=each in down) for each in sorted(summary.required_by)),
    ]
