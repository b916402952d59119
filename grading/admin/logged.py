"""Changes in the admin, told to the log service as those over the API are: ids and authors alone."""

import logging
from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

logger = logging.getLogger(__name__)


class LoggedAdmin(ModelAdmin):
    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        _log("added", obj, request)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        _log("changed", obj, request)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: "QuerySet[Any]") -> Any:
        for obj in queryset:
            _log("deleted", obj, request)
        return super().log_deletions(request, queryset)


def _log(deed: str, obj: Model, request: HttpRequest) -> None:
    author = f"admin:{request.user.get_username()}"
    logger.info("%s %s id=%s author=%s", obj._meta.model_name, deed, obj.pk, author)
