"""The accounts of a service's admin, in its theme."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm


class UserAdmin(DjangoUserAdmin[User], ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    pass


def register(users: type[UserAdmin] = UserAdmin) -> None:
    """Show users and groups by these classes instead of Django's."""
    admin.site.unregister([User, Group])
    admin.site.register(User, users)
    admin.site.register(Group, GroupAdmin)
