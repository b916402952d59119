"""The accounts of the admin's users; an administrator manages them without becoming more than that."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest
from django_otp.plugins.otp_totp import admin as totp_admin

from config import admin_accounts
from registry.admin.two_step import SignInForm

# Its page shows every secret; an account sets up its own authenticator (two_step.py).
admin.site.unregister(totp_admin.TOTPDevice)
admin.site.login_form = SignInForm


class UserAdmin(admin_accounts.UserAdmin):
    list_display = ["username", "first_name", "last_name", "is_active", "is_staff", "last_login"]
    list_filter = ["is_staff", "is_active"]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """Only a superuser makes superusers, or gives single permissions."""
        return [] if request.user.is_superuser else ["is_superuser", "user_permissions", "last_login", "date_joined"]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return _may_touch(request, obj) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return _may_touch(request, obj) and bool(super().has_delete_permission(request, obj))

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        super().delete_queryset(request, queryset if request.user.is_superuser else queryset.filter(is_superuser=False))


def _may_touch(request: HttpRequest, user: User | None) -> bool:
    return user is None or request.user.is_superuser or not user.is_superuser


admin_accounts.register(UserAdmin)
