"""The log of operations in the admin: who did what, to be exported as the other records are."""

from django.contrib import admin
from django.contrib.admin.models import LogEntry

from config.admin import accounts as admin_accounts
from registry.admin.records import RecordAdmin

admin.site.unregister(LogEntry)


@admin.register(LogEntry)
class OperationsLogAdmin(admin_accounts.OperationsLogAdmin, RecordAdmin):
    pass
