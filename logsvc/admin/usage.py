"""A table of what each service stores and for how long."""

from typing import Any

from django.views.generic import TemplateView
from unfold.views import UnfoldModelAdminViewMixin

from config.admin import cells as admin_cells
from logsvc import retention
from logsvc.admin import cells
from logsvc.models import RetentionRule
from logsvc.storage.current import store

HEADERS = ["Service", "Level", "Records", "Size as sent", "Oldest hour", "Kept for", "Archived"]


class UsageView(UnfoldModelAdminViewMixin, TemplateView):
    title = "Usage"
    permission_required = "logsvc.view_records"
    template_name = "logsvc/admin/usage.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rules, usage, size = list(RetentionRule.objects.all()), store().usage(), store().size()
        rows = []
        for each in sorted(usage, key=lambda each: -each.stored_bytes):
            policy = retention.policy_of(each.service, each.level, rules)
            rows.append(
                [
                    cells.visible(each.service),
                    each.level,
                    f"{each.records:,}",
                    cells.size(each.stored_bytes),
                    cells.when(each.oldest_ns),
                    f"{policy.keep_days} days",
                    "yes" if policy.is_archived else "no",
                ]
            )
        return super().get_context_data(
            **kwargs,
            table=admin_cells.table(HEADERS, rows),
            records=f"{sum(each.records for each in usage):,}",
            on_disk=cells.size(size.total_bytes),
            free=cells.size(size.free_bytes),
        )
