"""Tokens in a service's admin: created and shown once, changed, revoked; and the audit log."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from config.admin import cells as admin_cells
from config.admin.pages import ReadOnlyAdmin
from config.problems import Invalid
from config.tokens import issuing, state
from config.tokens.gate import address_of
from config.tokens.models import AuditEntry, Token

_STATE_COLOURS = {"valid": "passing", "expired": "warning", "revoked": "critical"}


class RevokeForm(forms.Form):
    reason = forms.CharField(
        max_length=200, widget=UnfoldAdminTextInputWidget, help_text="Kept in the audit log.", required=False
    )


class TokenForm(forms.ModelForm[Token]):
    scopes = forms.CharField(widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}))
    limits = forms.CharField(widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), required=False)

    class Meta:
        model = Token
        fields = ["name", "scopes", "expires_at", "limits"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["scopes"].help_text = f"One a line, of: {issuing.allowed_scopes()}."
        self.fields["expires_at"].help_text = "In UTC; it does not expire where this is empty."
        defaults = ", ".join(f"{name}={value}" for name, value in settings.TOKEN_LIMITS.items())
        self.fields["limits"].help_text = f"One a line, where they differ from {defaults}; 0 is no limit."
        if self.instance.pk:
            self.initial["scopes"] = "\n".join(self.instance.scopes)
            self.initial["limits"] = "\n".join(f"{name}={value}" for name, value in self.instance.limits.items())

    def clean_scopes(self) -> list[str]:
        return str(self.cleaned_data["scopes"]).split()

    def clean_limits(self) -> dict[str, int]:
        limits = {}
        for word in str(self.cleaned_data["limits"]).split():
            name, _, number = word.partition("=")
            if not (number.isascii() and number.isdecimal() and len(number) < 10):
                raise forms.ValidationError(f"{word} is not a limit such as requests_per_second=50.")
            limits[name] = int(number)
        return limits

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            try:
                issuing.check(
                    name=cleaned.get("name", self.instance.name),
                    scopes=cleaned["scopes"],
                    limits=cleaned["limits"],
                    expires_at=cleaned["expires_at"],
                    now=timezone.now(),
                )
            except Invalid as problem:
                raise forms.ValidationError(problem.detail) from problem
        return cleaned


class TokenAdmin(ModelAdmin):
    form = TokenForm
    list_display = ["name", "beginning", "scope_list", "created_at", "last_used_at", "state"]
    search_fields = ["name", "prefix"]
    fields = ["name", "scopes", "expires_at", "limits"]
    actions_detail = ["revoke"]

    @display(description="token")
    def beginning(self, token: Token) -> str:
        return f"{token.prefix}…"

    @display(description="scopes")
    def scope_list(self, token: Token) -> str:
        return ", ".join(token.scopes)

    @display(description="state")
    def state(self, token: Token) -> str:
        found = state.of(token, now=timezone.now())
        return admin_cells.state(_STATE_COLOURS[found], found)

    def get_readonly_fields(self, request: HttpRequest, obj: Token | None = None) -> list[str]:
        return ["name"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Token | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Token | None = None) -> bool:
        return (obj is None or obj.revoked_at is None) and bool(super().has_change_permission(request, obj))

    def has_revoke_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return request.user.has_perm("tokens.revoke_token")

    def save_model(self, request: HttpRequest, obj: Token, form: TokenForm, change: bool) -> None:
        given = {name: form.cleaned_data[name] for name in ("scopes", "expires_at", "limits")}
        given |= {"author": _author(request), "address": _address(request)}
        if change:
            issuing.change(name=obj.name, now=timezone.now(), **given)
            return
        # For response_add alone; it is stored nowhere.
        request.META["rollcall.token"] = issuing.create(name=obj.name, **given)
        kept = Token.objects.get(name=obj.name)
        obj.pk, obj.prefix = kept.pk, kept.prefix

    def response_add(self, request: HttpRequest, obj: Token, post_url_continue: str | None = None) -> HttpResponse:
        """Show the token once. Not by a redirect: a message would be stored in a cookie or a session until read."""
        context = {
            **self.admin_site.each_context(request),
            "title": "Token created",
            "name": obj.name,
            "token": request.META["rollcall.token"],
            "back": reverse("admin:tokens_token_changelist"),
        }
        return TemplateResponse(request, "tokens/created.html", context, headers={"Cache-Control": "no-store"})

    @action(description="Revoke", icon="block", permissions=["revoke"])
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        token = self.get_object(request, object_id)
        back = reverse("admin:tokens_token_changelist")
        if token is None:
            return redirect(back)
        form = RevokeForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            issuing.revoke(
                name=token.name,
                now=timezone.now(),
                author=_author(request),
                address=_address(request),
                reason=form.cleaned_data["reason"],
            )
            self.message_user(request, f"The token {token.name} is revoked.")
            return redirect(back)
        context = {
            **self.admin_site.each_context(request),
            "title": "Revoke a token",
            "token": token,
            "form": form,
            "holders": self.holders(token),
            "back": back,
        }
        return TemplateResponse(request, "tokens/revoke.html", context)

    def holders(self, token: Token) -> list[str]:
        """The token's user, in words; a service that knows overrides this (registry/admin/tokens.py)."""
        return []


# A service without scopes, as the web UI is one, takes no tokens.
if settings.TOKEN_SCOPES:
    admin.site.register(Token, TokenAdmin)


@admin.register(AuditEntry)
class AuditAdmin(ReadOnlyAdmin):
    """The audit log: changes and refusals, by whom and from where."""

    list_display = ["at", "kind", "who", "what", "author", "address", "times"]
    list_filter = ["kind"]
    search_fields = ["who", "what", "author", "address"]


def _author(request: HttpRequest) -> str:
    return f"admin:{request.user.get_username()}"


def _address(request: HttpRequest) -> str:
    return address_of(request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", ""))
