"""Saved searches, alert rules, and the messages that these have sent."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin

from config.problems import Conflict
from logsvc.alerts import declaration
from logsvc.alerts import messages as alert_messages
from logsvc.alerts.post import refusal
from logsvc.models import AlertMessage, AlertRule, SavedSearch
from registry.client import webhook


class QueryForm(forms.ModelForm[Any]):
    def clean_query(self) -> str:
        query: str = self.cleaned_data["query"]
        if trouble := declaration.query_trouble(query):
            raise forms.ValidationError(trouble)
        return query


class RuleForm(QueryForm):
    secret = forms.CharField(
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="whsec_ and 24 to 64 random bytes in base64. Empty keeps the one it has, or makes one.",
    )

    class Meta:
        model = AlertRule
        fields = (
            "name",
            "query",
            "condition",
            "threshold",
            "window_seconds",
            "quiet_seconds",
            "url",
            "secret",
            "is_enabled",
        )

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        if trouble := refusal(url, allowed=settings.ALERT_NETWORKS):
            raise forms.ValidationError(trouble)
        return url

    def clean_secret(self) -> str:
        secret: str = self.cleaned_data["secret"]
        if secret and (trouble := declaration.secret_trouble(secret)):
            raise forms.ValidationError(trouble)
        return secret


@admin.register(SavedSearch)
class SavedSearchAdmin(ModelAdmin):
    form = QueryForm
    fields = ("name", "query", "description")
    list_display = ("name", "query", "description", "owner", "changed_at")
    search_fields = ("name", "query")


@admin.register(AlertRule)
class AlertRuleAdmin(ModelAdmin):
    form = RuleForm
    list_display = ("name", "query", "state", "since", "count", "threshold", "is_enabled", "trouble")
    list_filter = ("state", "is_enabled")
    search_fields = ("name", "query", "url")
    readonly_fields = ("owner", "state", "since", "count", "trouble", "evaluated_at", "told_at")
    actions = ("send_test",)

    def save_model(self, request: HttpRequest, obj: AlertRule, form: RuleForm, change: bool) -> None:
        """A changed rule starts anew: what was counted before says nothing of it."""
        kept = AlertRule.objects.get(pk=obj.pk).secret if change else ""
        given = form.cleaned_data["secret"]
        obj.secret = given or kept or webhook.new_secret()
        if not given and not kept:
            messages.info(request, f"Its secret, which is shown only now: {obj.secret}")
        declaration.start_anew(obj)
        super().save_model(request, obj, form, change)

    @admin.action(description="Send a test message", permissions=["change"])
    def send_test(self, request: HttpRequest, rules: QuerySet[AlertRule]) -> None:
        sent = 0
        for rule in rules:
            try:
                alert_messages.add_test(rule, now=timezone.now())
            except Conflict as conflict:
                messages.error(request, f"{rule.name}: {conflict.detail}")
            else:
                sent += 1
        messages.success(request, f"{sent} test messages are on their way: see Alerts sent.")


@admin.register(AlertMessage)
class AlertMessageAdmin(ModelAdmin):
    list_display = ("created_at", "rule", "kind", "attempts", "status", "delivered_at", "due_at", "error")
    list_filter = ("kind",)
    list_select_related = ("rule",)
    search_fields = ("webhook_id", "rule__name")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: AlertMessage | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AlertMessage | None = None) -> bool:
        return False
