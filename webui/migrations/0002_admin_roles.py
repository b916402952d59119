"""The roles of the admin, as groups; those of the pages (webui/roles.py) are others."""

from typing import Any

from django.db import migrations

from config.admin import roles as admin_roles

KEPT = ("incident", "channel", "message", "publicpage")
VIEW = {"webui": {model: ["view"] for model in KEPT}}
OPERATE = {
    "webui": {
        "channel": ["add", "change", "delete"],
        "message": ["change"],
        "publicpage": ["change"],
    }
}
# Whose search it is says what somebody was looking for.
ADMINISTER = {"webui": {"savedsearch": ["view", "delete"]}}
ROLES = {
    "viewer": [VIEW],
    "operator": [VIEW, OPERATE, admin_roles.OPERATE],
    "administrator": [VIEW, OPERATE, admin_roles.OPERATE, ADMINISTER, admin_roles.ADMINISTER],
}


def make_roles(apps: Any, schema_editor: Any) -> None:
    admin_roles.make(apps, ROLES)


class Migration(migrations.Migration):
    dependencies = [
        ("webui", "0001_operators"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("tokens", "0002_expiry_limits_and_audit"),
    ]

    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
