"""The roles of the admin, as groups; `operator` replaces the group that `provision` used to make."""

from typing import Any

from django.db import migrations

from config.admin import roles as admin_roles

VIEW = {
    "logsvc": {
        "records": ["view"],
        "retentionrule": ["view"],
        "savedsearch": ["view"],
        "alertrule": ["view"],
        "alertmessage": ["view"],
    }
}
OPERATE = {
    "logsvc": {
        "retentionrule": ["add", "change", "delete"],
        "savedsearch": ["add", "change", "delete"],
        "alertrule": ["add", "change", "delete"],
    },
    # As the former group had it.
    "tokens": {"token": ["view"], "auditentry": ["view"]},
}
ROLES = {
    "viewer": [VIEW],
    "operator": [VIEW, OPERATE, admin_roles.OPERATE],
    "administrator": [VIEW, OPERATE, admin_roles.OPERATE, admin_roles.ADMINISTER],
}


def make_roles(apps: Any, schema_editor: Any) -> None:
    admin_roles.make(apps, ROLES)
    admin_roles.rename(apps, old="operators", new="operator")


class Migration(migrations.Migration):
    dependencies = [
        ("logsvc", "0004_alerts"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("tokens", "0002_expiry_limits_and_audit"),
    ]

    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
