"""People's saved searches."""

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from config import escaping
from config.admin.pages import ReadOnlyAdmin
from webui.models import SavedSearch


@admin.register(SavedSearch)
class SavedSearchAdmin(ReadOnlyAdmin):
    """Saved searches, to look at and to delete; people make their own on the page of logs."""

    list_display = ["name", "user", "searched"]
    search_fields = ["name", "user__username"]
    list_select_related = ["user"]

    @display(description="search")
    def searched(self, search: SavedSearch) -> str:
        return escaping.visible(search.address)

    def has_delete_permission(self, request: HttpRequest, obj: SavedSearch | None = None) -> bool:
        return bool(request.user.has_perm("webui.delete_savedsearch"))
