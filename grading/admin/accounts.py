"""The accounts of the admin's users."""

from django.contrib import admin
from django.contrib.auth.models import Group, User

from config.admin_accounts import GroupAdmin, UserAdmin

admin.site.unregister([User, Group])
admin.site.register(User, UserAdmin)
admin.site.register(Group, GroupAdmin)
