"""The accounts of the admin's users."""

from config import admin_accounts

admin_accounts.register()
