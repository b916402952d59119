"""The accounts of the admin's users."""

from config.admin import accounts as admin_accounts

admin_accounts.register()
