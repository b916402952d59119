"""The public status page's choices."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextareaWidget

from webui import public
from webui.models import PublicPage


class PublicPageForm(forms.ModelForm[PublicPage]):
    services = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 6}),
        help_text="One a line, in the order in which the page shows them.",
    )

    class Meta:
        model = PublicPage
        fields = ("is_enabled", "title", "services")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.initial["services"] = "\n".join(self.instance.services)

    def clean_services(self) -> list[str]:
        return list(dict.fromkeys(str(self.cleaned_data["services"]).split()))


@admin.register(PublicPage)
class PublicPageAdmin(ModelAdmin):
    """The only public page: its list leads to it, and another can neither be added nor this one deleted."""

    form = PublicPageForm
    fields = ["is_enabled", "title", "services"]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        page = public.settings()
        if page.pk is None:
            page.save()
        return redirect(reverse("admin:webui_publicpage_change", args=[page.pk]))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: PublicPage | None = None) -> bool:
        return False
