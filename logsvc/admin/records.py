"""Records in the admin: found by the query language, and only to be looked at."""

from typing import Any

import msgspec
from django.http import Http404
from django.utils.http import urlencode
from django.views.generic import TemplateView
from unfold.views import UnfoldModelAdminViewMixin

from config.admin import cells as admin_cells
from config.problems import Invalid, Unavailable
from logsvc import representation
from logsvc.admin import cells
from logsvc.parameters import HIGHEST_ID
from logsvc.query import parser
from logsvc.record import Stored, exception_text
from logsvc.storage.current import store
from logsvc.storage.interface import Page, Search

PER_PAGE = 50
CONTEXT = 10
HEADERS = ["Time", "Level", "Service", "Instance", "Message", "Token"]


class RecordsView(UnfoldModelAdminViewMixin, TemplateView):
    title = "Records"
    permission_required = "logsvc.view_records"
    template_name = "logsvc/admin/records.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked, wrong = self.request.GET.get("q", "").strip(), ""
        page = Page(records=[], next=None)
        try:
            given = self.request.GET.get("before", "")
            is_id = given.isascii() and given.isdecimal() and len(given) <= 19
            before = min(int(given), HIGHEST_ID) if is_id else None
            page = store().search(Search(query=parser.parse(asked), before=before, limit=PER_PAGE))
        except (Invalid, Unavailable) as problem:
            wrong = problem.detail
        following = None if page.next is None else urlencode({"q": asked, "before": str(page.next)})
        return super().get_context_data(
            **kwargs,
            asked=asked,
            wrong=wrong,
            table=admin_cells.table(HEADERS, map(_row, page.records)) if page.records else "",
            following=following,
            is_complete=page.is_complete,
        )


class RecordView(UnfoldModelAdminViewMixin, TemplateView):
    title = "Record"
    permission_required = "logsvc.view_records"
    template_name = "logsvc/admin/record.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        record = store().get(kwargs["identifier"])
        if record is None:
            raise Http404("There is no such record, or none any more.")
        before, after = store().context(record, before=CONTEXT, after=CONTEXT)
        around = [*before, record, *after][::-1]
        return super().get_context_data(
            **kwargs,
            facts=[
                (
                    name.replace("_", " "),
                    cells.visible(value if isinstance(value, str) else msgspec.json.encode(value).decode()),
                )
                for name, value in representation.record_body(record).items()
                if name != "message" and value not in ("", [], {})
            ],
            body=cells.visible(record.body),
            exception=cells.visible(exception_text(record)),
            table=admin_cells.table(HEADERS, map(_row, around)),
        )


def _row(record: Stored) -> list[str]:
    return [
        cells.when(record.time_ns),
        cells.level(record.severity),
        cells.visible(record.service),
        cells.visible(record.instance),
        cells.record_link(record),
        cells.visible(record.token),
    ]
