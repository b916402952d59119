"""Accounts, groups and what people did, in every service's admin, in its theme."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import ManyToManyField
from django.http import HttpRequest
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from config import escaping
from config.admin import cells
from config.admin.pages import ReadOnlyAdmin
from config.admin.two_step import SignInForm


class UserAdmin(DjangoUserAdmin[User], ModelAdmin):
    """An account gets its rights from its groups; single permissions are not offered.

    An administrator manages accounts without becoming more than that: only a superuser makes, changes or deletes one.
    """

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "first_name", "last_name", "is_active", "is_staff", "last_login"]
    list_filter = ["is_staff", "is_active", "groups"]
    filter_horizontal = []
    readonly_fields = ["last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": ["first_name", "last_name", "email"]}),
        ("Access", {"fields": ["is_active", "is_staff", "is_superuser", "groups"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest, **options: Any
    ) -> Any:
        if db_field.name == "groups":
            options["widget"] = UnfoldAdminCheckboxSelectMultipleWidget()
        return super().formfield_for_manytomany(db_field, request, **options)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        return [*self.readonly_fields] if request.user.is_superuser else [*self.readonly_fields, "is_superuser"]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return may_touch(request, obj) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return may_touch(request, obj) and bool(super().has_delete_permission(request, obj))

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        super().delete_queryset(request, queryset if request.user.is_superuser else queryset.filter(is_superuser=False))


class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    pass


class OperationsLogAdmin(ReadOnlyAdmin):
    list_display = ["when", "user", "subject", "deed"]
    list_filter = ["action_flag"]
    search_fields = ["object_repr", "change_message", "user__username"]
    list_select_related = ["user", "content_type"]

    @display(description="when", ordering="action_time")
    def when(self, entry: LogEntry) -> str:
        return cells.when(entry.action_time)

    @display(description="subject")
    def subject(self, entry: LogEntry) -> str:
        return escaping.visible(entry.object_repr)

    @display(description="operation")
    def deed(self, entry: LogEntry) -> str:
        return escaping.visible(entry.get_change_message())


def may_touch(request: HttpRequest, user: User | None) -> bool:
    return user is None or request.user.is_superuser or not user.is_superuser


def register() -> None:
    """Take these pages instead of Django's; each service's admin calls it, and the tests run several in one process."""
    if not admin.site.is_registered(LogEntry):
        admin.site.register(LogEntry, OperationsLogAdmin)
    if admin.site.is_registered(TOTPDevice):
        # Its page shows every secret; an account sets up its own authenticator (two_step.py).
        admin.site.unregister(TOTPDevice)
    admin.site.unregister([User, Group])
    admin.site.register(User, UserAdmin)
    admin.site.register(Group, GroupAdmin)
    admin.site.login_form = SignInForm
    admin.site.index_title = "Overview"
    # A cell with nothing in it takes no line on a narrow screen.
    admin.site.empty_value_display = ""
