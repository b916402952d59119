"""The admin's first page: what must not be overlooked."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from registry.admin import panels
from registry.instances import catalogue


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    if not request.user.has_perm("registry.view_instance"):
        return context
    troubles = panels.troubles(catalogue.summaries())
    return {**context, **panels.protection(request, now=timezone.now()), "troubles": troubles}


admin.site.index_template = "registry/admin/index.html"
