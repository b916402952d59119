"""The refusals on an admin's first page."""

from datetime import timedelta

from django.utils import timezone

from config.admin.look import list_of
from config.admin.overview import Figure
from config.tokens import audit
from config.tokens.models import AuditKind


def refusals(title: str = "refused in 24 hours") -> Figure:
    """The number of requests and sign-ins that were refused in the last day."""
    count = audit.refusals_since(timezone.now() - timedelta(days=1))
    url = f"{list_of('tokens_auditentry')}?kind__exact={AuditKind.REFUSED}"
    return Figure(title=title, value=f"{count:,}", url=url)
