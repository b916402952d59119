"""The accounts of the admin's users; an administrator manages them without becoming more than that."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django_otp.plugins.otp_totp import admin as totp_admin

from config.admin_accounts import GroupAdmin, UserAdmin
from registry.admin.two_step import SignInForm

# Its page shows every secret; an account sets up its own authenticator (two_step.py).
admin.site.unregister([User, Group, totp_admin.TOTPDevice])
admin.site.register(Group, GroupAdmin)
admin.site.login_form = SignInForm


@admin.register(User)
class RegistryUserAdmin(UserAdmin):
    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """Only a superuser makes superusers."""
        return [*self.readonly_fields] if request.user.is_superuser else [*self.readonly_fields, "is_superuser"]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return _may_touch(request, obj) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return _may_touch(request, obj) and bool(super().has_delete_permission(request, obj))

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        super().delete_queryset(request, queryset if request.user.is_superuser else queryset.filter(is_superuser=False))


def _may_touch(request: HttpRequest, user: User | None) -> bool:
    return user is None or request.user.is_superuser or not user.is_superuser
