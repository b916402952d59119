"""The roles of the admin, as groups: viewer, operator, administrator."""

from typing import Any

from django.db import migrations

VIEW = {
    "registry": {
        "instance": ["view"],
        "maintenance": ["view"],
        "journalentry": ["view"],
        "delivery": ["view"],
    },
}
OPERATE = {"registry": {"instance": ["operate"]}, "admin": {"logentry": ["view"]}}
ADMINISTER = {
    "registry": {"instance": ["settings"]},
    "auth": {"user": ["view", "add", "change", "delete"], "group": ["view"]},
    "tokens": {"token": ["view", "add", "change", "revoke"], "auditentry": ["view"]},
}
ROLES = {"viewer": [VIEW], "operator": [VIEW, OPERATE], "administrator": [VIEW, OPERATE, ADMINISTER]}
# The permissions that are not Django's own four, by codename and name.
OWN = {
    ("instance", "operate"): (
        "operate_instance",
        "Can operate instances: probe, maintenance, drain, deregister, redeliver, rotate secrets",
    ),
    ("instance", "settings"): ("view_settings", "Can view the settings in force"),
    ("token", "revoke"): ("revoke_token", "Can revoke a token"),
}


def make_roles(apps: Any, schema_editor: Any) -> None:
    """Idempotent. Django makes permissions after all migrations: those that are missing yet are made here."""
    groups, permissions, kinds = (
        apps.get_model(app, model)
        for app, model in (("auth", "Group"), ("auth", "Permission"), ("contenttypes", "ContentType"))
    )
    for role, parts in ROLES.items():
        group, _ = groups.objects.get_or_create(name=role)
        for app, model, verb in [
            (app, model, verb)
            for part in parts
            for app, models in part.items()
            for model, verbs in models.items()
            for verb in verbs
        ]:
            kind, _ = kinds.objects.get_or_create(app_label=app, model=model)
            codename, name = OWN.get((model, verb), (f"{verb}_{model}", f"Can {verb} {model}"))
            permission, _ = permissions.objects.get_or_create(
                content_type=kind, codename=codename, defaults={"name": name}
            )
            group.permissions.add(permission)
    # The group that `provision` used to make: its members become operators.
    old = groups.objects.filter(name="operators").first()
    if old is not None:
        groups.objects.get(name="operator").user_set.add(*old.user_set.all())
        old.delete()


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0010_secrets_at_rest"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("tokens", "0002_expiry_limits_and_audit"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="instance",
            options={
                "ordering": ["service", "name"],
                "permissions": [OWN["instance", "operate"], OWN["instance", "settings"]],
            },
        ),
        migrations.RunPython(make_roles, migrations.RunPython.noop),
    ]
