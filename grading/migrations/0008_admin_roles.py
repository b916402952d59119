"""The roles of the admin, as groups. None of them sees a grade: that is for the group `registrars`."""

from typing import Any

from django.db import migrations

from config.admin import roles as admin_roles

VIEW = {"grading": {model: ["view"] for model in ("course", "term", "gradescale", "importbatch")}}
ROLES = {
    "viewer": [VIEW],
    "operator": [VIEW, admin_roles.OPERATE],
    "administrator": [VIEW, admin_roles.OPERATE, admin_roles.ADMINISTER],
}


def make_roles(apps: Any, schema_editor: Any) -> None:
    admin_roles.make(apps, ROLES)


class Migration(migrations.Migration):
    dependencies = [
        ("grading", "0007_starts_of_imports"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("tokens", "0002_expiry_limits_and_audit"),
    ]

    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
